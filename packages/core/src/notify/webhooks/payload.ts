import type { SubscribedEvent } from '../../events.ts';

/** Version of the payload: it goes up when something in it changes its meaning or goes away, not when something is added. */
const PAYLOAD_VERSION = 1;

/**
 * The body of a webhook; the same for each attempt. What was said in the session (`transcript`) and the evidence (`raw`) stay
 * here: they name hosts and addresses that are nobody else's business.
 */
export function payloadOf(event: SubscribedEvent): string {
  const {
    type,
    at,
    transcript: _,
    raw: __,
    ...data
  } = event as SubscribedEvent & { transcript?: unknown; raw?: unknown };
  return JSON.stringify({ type: `mail.${type}`, version: PAYLOAD_VERSION, timestamp: at.toISOString(), data });
}
