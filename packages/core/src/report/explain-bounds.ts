/** What may keep a delivery waiting, each with the time when it does not any more. */
import { avoidedBy, factorOf } from '../lane-rule.ts';
import type { LaneLimit } from '../queue/port.ts';
import type { ExplainFacts } from './explain-facts.ts';
import type { ExplainedReason } from './port.ts';

/** Somebody has paused it. */
export function laneBounds({ delivery, lane }: ExplainFacts): ExplainedReason[] {
  if (lane?.paused !== true) return [];
  const { route, stream, site } = delivery;
  const text = `the lane ${[route, stream, ...(site === undefined ? [] : [site])].join('/')} is paused`;
  return [{ kind: 'lane-paused', text, until: undefined }];
}

/** It is too early. */
export function timeBounds({ delivery, events, now }: ExplainFacts): ExplainedReason[] {
  const { dueAt, state, attempts } = delivery;
  if (dueAt === undefined || dueAt.getTime() <= now) return [];
  const last = events.findLast((event) => event.type === 'deferred');
  // What the relay itself had to wait for is no attempt.
  if (state === 'scheduled' || (attempts === 0 && last === undefined))
    return [{ kind: 'scheduled', text: `it is not to leave before ${dueAt.toISOString()}`, until: dueAt }];
  const tried = last?.attempt === 0 ? '' : `attempt ${last?.attempt}, `;
  const said = last === undefined ? '' : ` (${tried}${last.reason}: ${last.reply})`;
  const by = delivery.inDoubt === true ? ` by ${delivery.route} alone, whose server may have it` : '';
  return [{ kind: 'retry', text: `it is tried again at ${dueAt.toISOString()}${by}${said}`, until: dueAt }];
}

/** The route does not work. */
export function downBounds({ delivery, downUntil }: ExplainFacts): ExplainedReason[] {
  if (downUntil === undefined) return [];
  const until = new Date(downUntil);
  const text = `the route ${delivery.route} does not work, and is tried by one mail at ${until.toISOString()}`;
  return [{ kind: 'route-down', text, until }];
}

/** The route has sent what it may. */
export function fullBounds({ delivery, fullUntil, limits }: ExplainFacts): ExplainedReason[] {
  if (fullUntil === undefined) return [];
  const until = new Date(fullUntil);
  const { kind = 'rate', said } = usedUp(limits.slice(0, siteFrom(limits)));
  const text = `the route ${delivery.route} has sent ${said}, and has room at ${until.toISOString()}`;
  return [{ kind, text, until }];
}

/** What is slowed down or suspended. */
export function ruleBounds({ delivery, site, now }: ExplainFacts): ExplainedReason[] {
  const rule = site?.rule;
  const factor = factorOf(rule, now);
  if (delivery.site === undefined || rule === undefined || factor === 1) return [];
  const until = new Date(rule.until);
  const does = factor === 0 ? 'suspends' : `slows down to ${Math.max(1, Math.round(factor * 100))} %`;
  return [
    {
      kind: 'rule',
      text: `the rule ${rule.name} ${does} ${delivery.site} until ${until.toISOString()}, after: ${rule.reply}`,
      until: factor === 0 ? until : new Date(now),
    },
  ];
}

/** Mail that avoids an address goes on from another, and is held up only where there is little room there. */
export function movedBounds({ delivery, site, now }: ExplainFacts): ExplainedReason[] {
  const avoided = avoidedBy(site?.rule, now);
  if (site?.rule === undefined || avoided.length === 0) return [];
  const { name, reply } = site.rule;
  const from = avoided.map(({ address, until }) => `${address} until ${new Date(until).toISOString()}`).join(' and ');
  // What acts now may be another rule, which keeps to what an earlier one avoided.
  const last = factorOf(site.rule, now) === 1;
  const text = `${last ? `the rule ${name}` : 'a rule'} sends ${delivery.site} nothing from ${from}`;
  return [{ kind: 'rule', text: last ? `${text}, after: ${reply}` : text, until: new Date(now) }];
}

/** What has no room. A lane that is only slowed down may still go on. */
export function siteBounds({ delivery, site, limits, now }: ExplainFacts): ExplainedReason[] {
  if (delivery.site === undefined || site === undefined) return [];
  const { rule, readyAt, held } = site;
  const bounds: ExplainedReason[] = [];
  const factor = factorOf(rule, now);
  if (factor > 0 && readyAt === undefined && held > 0) {
    const text = `${delivery.site} has ${held} mails on their way or next, and takes ${placesOf(limits)} at once`;
    bounds.push({ kind: 'site', text, until: new Date(now) });
  } else if (factor > 0 && readyAt !== undefined && readyAt > now && (delivery.dueAt?.getTime() ?? now) <= now) {
    const until = new Date(readyAt);
    const { kind = 'site', said } = usedUp(limits.slice(siteFrom(limits)));
    const text = `${delivery.site} has had ${said}, and has room at ${until.toISOString()}`;
    bounds.push({ kind, text, until });
  }
  return bounds;
}

/** Where the limits of the site begin: those of the route stand before them, but for what it sends at once. */
function siteFrom(limits: readonly LaneLimit[]): number {
  const at = limits.findIndex(({ kind, by }) => (kind === 'rate' ? by !== 'route' : kind !== 'warm-up'));
  return at < 0 ? limits.length : at;
}

/** Which of some limits are used up, in words; the kind where a day of a warm-up is among them. */
function usedUp(limits: readonly LaneLimit[]): { readonly kind: 'warm-up' | undefined; readonly said: string } {
  const full = limits.filter(({ kind, used, most }) => (kind === 'rate' || kind === 'warm-up') && used >= most);
  // What others have claimed counts, too, and is not told.
  const named = full.length > 0 ? full : limits.filter(({ kind }) => kind === 'rate');
  const said = named.map(({ kind, text }) => (kind === 'warm-up' ? `${text} (warm-up)` : text)).join(' and ');
  return { kind: full.some(({ kind }) => kind === 'warm-up') ? 'warm-up' : undefined, said: `its ${said}` };
}

/** How many mails a site takes at once, in words. The limits of the site stand before those of the route. */
export function placesOf(limits: readonly LaneLimit[]): string {
  return limits.find(({ kind }) => kind === 'connections')?.text ?? 'no more';
}
