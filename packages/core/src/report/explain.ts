import type { MessageEvent } from '../events.ts';
import { avoidedBy, factorOf } from '../lane-rule.ts';
import type { DeliveryState } from '../message.ts';
import type { LaneLimit, SiteLane } from '../queue/port.ts';
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
  /** When the route has room again, where it is full. */
  readonly fullUntil: number | undefined;
  /** Of the delivery's lane. */
  readonly limits: readonly LaneLimit[];
  /** What is known of its site, where it has one. */
  readonly site: SiteLane | undefined;
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
  if (state === 'sending')
    return [{ kind: 'sending', text: `it is being sent by ${delivery.route}`, until: undefined }];
  if (state === 'held') return [{ kind: 'held', text: withReason('it is held', reason), until: undefined }];
  const bounds = [...laneBounds(facts), ...timeBounds(facts), ...routeBounds(facts), ...siteBounds(facts)];
  return bounds.length > 0 ? bounds : [queued(facts)];
}

function laneBounds({ delivery, lane }: ExplainFacts): ExplainedReason[] {
  if (lane?.paused !== true) return [];
  const { route, stream, site } = delivery;
  const text = `the lane ${[route, stream, ...(site === undefined ? [] : [site])].join('/')} is paused`;
  return [{ kind: 'lane-paused', text, until: undefined }];
}

function timeBounds({ delivery, events, now }: ExplainFacts): ExplainedReason[] {
  const { dueAt, state, attempts } = delivery;
  if (dueAt === undefined || dueAt.getTime() <= now) return [];
  const last = events.findLast((event) => event.type === 'deferred');
  // What the relay itself had to wait for is no attempt.
  if (state === 'scheduled' || (attempts === 0 && last === undefined))
    return [{ kind: 'scheduled', text: `it is not to leave before ${dueAt.toISOString()}`, until: dueAt }];
  const tried = last?.attempt === 0 ? '' : `attempt ${last?.attempt}, `;
  const said = last === undefined ? '' : ` (${tried}${last.reason}: ${last.reply})`;
  return [{ kind: 'retry', text: `it is tried again at ${dueAt.toISOString()}${said}`, until: dueAt }];
}

function routeBounds({ delivery, downUntil, fullUntil, limits }: ExplainFacts): ExplainedReason[] {
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
  if (fullUntil !== undefined) {
    const until = new Date(fullUntil);
    const day = limits.find(({ kind, used, most }) => kind === 'warm-up' && used >= most);
    const rates = limits.filter(({ kind, by }) => kind === 'rate' && by === 'route').map(({ text }) => text);
    const said = day === undefined ? `its ${rates.join(' and ')}` : `its ${day.text} (warm-up)`;
    bounds.push({
      kind: day === undefined ? 'rate' : 'warm-up',
      text: `the route ${route} has sent ${said}, and has room at ${until.toISOString()}`,
      until,
    });
  }
  return bounds;
}

/** What is slowed down or suspended, and what has no room. A lane that is only slowed down may still go on. */
function siteBounds(facts: ExplainFacts): ExplainedReason[] {
  const { delivery, site, limits, now } = facts;
  if (delivery.site === undefined || site === undefined) return [];
  const { rule, readyAt, held } = site;
  const bounds: ExplainedReason[] = [];
  const factor = factorOf(rule, now);
  if (rule !== undefined && factor < 1) {
    const until = new Date(rule.until);
    const does = factor === 0 ? 'suspends' : `slows down to ${Math.max(1, Math.round(factor * 100))} %`;
    bounds.push({
      kind: 'rule',
      text: `the rule ${rule.name} ${does} ${delivery.site} until ${until.toISOString()}, after: ${rule.reply}`,
      until: factor === 0 ? until : new Date(now),
    });
  }
  bounds.push(...moved(facts));
  if (factor > 0 && readyAt === undefined && held > 0) {
    const text = `${delivery.site} has ${held} mails on their way or next, and takes ${placesOf(limits)} at once`;
    bounds.push({ kind: 'site', text, until: new Date(now) });
  } else if (factor > 0 && readyAt !== undefined && readyAt > now && (delivery.dueAt?.getTime() ?? now) <= now) {
    const until = new Date(readyAt);
    const day = limits.find(({ kind, used, most }) => kind === 'warm-up' && used >= most);
    const rates = limits.filter(({ kind, by }) => kind === 'rate' && by !== 'route').map(({ text }) => text);
    const said = day === undefined ? `its ${rates.join(' and ')}` : `its ${day.text} (warm-up)`;
    const text = `${delivery.site} has had ${said}, and has room at ${until.toISOString()}`;
    bounds.push({ kind: day === undefined ? 'site' : 'warm-up', text, until });
  }
  return bounds;
}

/** Mail that avoids an address goes on from another, and is held up only where there is little room there. */
function moved({ delivery, site, now }: ExplainFacts): ExplainedReason[] {
  const avoided = avoidedBy(site?.rule, now);
  if (site?.rule === undefined || avoided.length === 0) return [];
  const { name, reply } = site.rule;
  const from = avoided.map(({ address, until }) => `${address} until ${new Date(until).toISOString()}`).join(' and ');
  // What acts now may be another rule, which keeps to what an earlier one avoided.
  const last = factorOf(site.rule, now) === 1;
  const text = `${last ? `the rule ${name}` : 'a rule'} sends ${delivery.site} nothing from ${from}`;
  return [{ kind: 'rule', text: last ? `${text}, after: ${reply}` : text, until: new Date(now) }];
}

/** The limits of the site stand before those of the route. */
function placesOf(limits: readonly LaneLimit[]): string {
  return limits.find(({ kind }) => kind === 'connections')?.text ?? 'no more';
}

function queued({ delivery, lane, limits, now }: ExplainFacts): ExplainedReason {
  const waiting = lane?.waiting ?? 1;
  const name = [delivery.route, delivery.stream, delivery.site ?? []].flat().join('/');
  const full = limits.find(({ kind, used, most }) => kind === 'concurrency' && used >= most);
  const places = full === undefined ? '' : `; the route sends ${full.text}, and has so many on their way`;
  const text = `it waits for its turn in the lane ${name}, in which ${waiting} wait${places}`;
  return { kind: 'queue', text, until: new Date(now) };
}

function withReason(text: string, reason: string | undefined): string {
  return reason === undefined ? text : `${text}: ${reason}`;
}
