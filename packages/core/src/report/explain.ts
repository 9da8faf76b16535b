import type { DeliveryState } from '../message.ts';
import {
  downBounds,
  fullBounds,
  laneBounds,
  movedBounds,
  ruleBounds,
  siteBounds,
  timeBounds,
} from './explain-bounds.ts';
import { claimedReasons } from './explain-claimed.ts';
import type { ExplainFacts } from './explain-facts.ts';
import type { ExplainedReason, Explanation } from './port.ts';

const OVER: Partial<Record<DeliveryState, string>> = {
  sent: 'the next server has taken it',
  delivered: 'it was delivered',
  bounced: 'it was refused for good',
  complained: 'its recipient complained about it',
  failed: 'it was given up',
  suppressed: 'its recipient is on the suppression list',
  cancelled: 'it was cancelled',
};

/** Whether nothing more is tried. */
export const isOver = (state: DeliveryState): boolean => OVER[state] !== undefined;

/** Says why a delivery is where it is. */
export function explain(facts: ExplainFacts): Explanation {
  const { delivery, events, now } = facts;
  const reasons = reasonsOf(facts);
  const unknown = reasons.some(({ until }) => until === undefined);
  const latest = Math.max(now, ...reasons.map(({ until }) => until?.getTime() ?? 0));
  return {
    id: delivery.id,
    recipient: delivery.recipient,
    state: delivery.state,
    route: delivery.route,
    site: delivery.site,
    limits: facts.limits,
    attempts: delivery.attempts,
    nextAt: unknown ? undefined : new Date(latest),
    summary: `${reasons.map(({ text }) => text).join('; ')}.`,
    reasons,
    transcripts: events.flatMap((event) =>
      'transcript' in event && event.transcript !== undefined ? [event.transcript] : [],
    ),
  };
}

function reasonsOf(facts: ExplainFacts): ExplainedReason[] {
  const { delivery } = facts;
  const { state, reason } = delivery;
  const over = OVER[state];
  if (over !== undefined) return [{ kind: 'over', text: withReason(over, reason), until: undefined }];
  if (state === 'sending') return claimedReasons(facts);
  if (state === 'held') return [{ kind: 'held', text: withReason('it is held', reason), until: undefined }];
  const bounds = [laneBounds, timeBounds, downBounds, fullBounds, ruleBounds, movedBounds, siteBounds].flatMap((find) =>
    find(facts),
  );
  return bounds.length > 0 ? bounds : [queued(facts)];
}

function queued({ delivery, lane, limits, places: room, now }: ExplainFacts): ExplainedReason {
  const waiting = lane?.waiting ?? 1;
  const name = [delivery.route, delivery.stream, delivery.site ?? []].flat().join('/');
  // Another process may have it; else its mail takes another route after a while.
  if (room === undefined) {
    const text = `it waits in the lane ${name}, and this process has no route ${delivery.route}: one that has it sends it`;
    return { kind: 'queue', text, until: undefined };
  }
  const full = limits.find(({ kind, used, most }) => kind === 'concurrency' && used >= most);
  const places = full === undefined ? '' : `; the route sends ${full.text}, and has so many on their way`;
  const text = `it waits for its turn in the lane ${name}, in which ${waiting} wait${places}`;
  return { kind: 'queue', text, until: new Date(now) };
}

function withReason(text: string, reason: string | undefined): string {
  return reason === undefined ? text : `${text}: ${reason}`;
}
