import type { MessageEvent } from '../events.ts';
import type { DeliveryState } from '../message.ts';
import type { DeliveryRecord } from '../store/port.ts';
import type { ExplainedReason, Explanation } from './port.ts';

/** What explaining needs to know. */
export interface ExplainFacts {
  readonly delivery: DeliveryRecord;
  /** Of the delivery, oldest first. */
  readonly events: readonly MessageEvent[];
  readonly lane: { readonly paused: boolean; readonly waiting: number } | undefined;
  /** When a probe of the route goes next, where it does not work. */
  readonly downUntil: number | undefined;
  /** The route's limit in words and when it has room again, where it is full. */
  readonly full: { readonly rate: string; readonly until: number } | undefined;
  readonly now: number;
}

const OVER: Partial<Record<DeliveryState, string>> = {
  sent: 'the next server has taken it',
  delivered: 'it was delivered',
  bounced: 'it was refused for good',
  complained: 'its recipient complained about it',
  failed: 'it was given up',
  suppressed: 'its recipient is on the suppression list',
  cancelled: 'it was cancelled',
};

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
  if (state === 'sending')
    return [{ kind: 'sending', text: `it is being sent by ${delivery.route}`, until: undefined }];
  if (state === 'held') return [{ kind: 'held', text: withReason('it is held', reason), until: undefined }];
  const bounds = [...laneBounds(facts), ...timeBounds(facts), ...routeBounds(facts)];
  return bounds.length > 0 ? bounds : [queued(facts)];
}

function laneBounds({ delivery, lane }: ExplainFacts): ExplainedReason[] {
  if (lane?.paused !== true) return [];
  const text = `the lane ${delivery.route}/${delivery.stream} is paused`;
  return [{ kind: 'lane-paused', text, until: undefined }];
}

function timeBounds({ delivery, events, now }: ExplainFacts): ExplainedReason[] {
  const { dueAt, state, attempts } = delivery;
  if (dueAt === undefined || dueAt.getTime() <= now) return [];
  if (state === 'scheduled' || attempts === 0)
    return [{ kind: 'scheduled', text: `it is not to leave before ${dueAt.toISOString()}`, until: dueAt }];
  const last = events.findLast((event) => event.type === 'deferred');
  const said = last === undefined ? '' : ` (attempt ${last.attempt}, ${last.reason}: ${last.reply})`;
  return [{ kind: 'retry', text: `it is tried again at ${dueAt.toISOString()}${said}`, until: dueAt }];
}

function routeBounds({ delivery, downUntil, full }: ExplainFacts): ExplainedReason[] {
  const { route } = delivery;
  const bounds: ExplainedReason[] = [];
  if (downUntil !== undefined) {
    const until = new Date(downUntil);
    bounds.push({
      kind: 'route-down',
      text: `the route ${route} does not work; it is tried at ${until.toISOString()}`,
      until,
    });
  }
  if (full !== undefined) {
    const until = new Date(full.until);
    bounds.push({
      kind: 'rate',
      text: `the route ${route} has sent its ${full.rate}, and has room at ${until.toISOString()}`,
      until,
    });
  }
  return bounds;
}

function queued({ delivery, lane, now }: ExplainFacts): ExplainedReason {
  const waiting = lane?.waiting ?? 1;
  const text = `it waits for its turn in the lane ${delivery.route}/${delivery.stream}, in which ${waiting} wait`;
  return { kind: 'queue', text, until: new Date(now) };
}

function withReason(text: string, reason: string | undefined): string {
  return reason === undefined ? text : `${text}: ${reason}`;
}
