import type { ReasonClass } from '../../events.ts';
import { factorOf } from '../../lane-rule.ts';
import type { LaneRule } from '../../queue/port.ts';
import type { ShapingRule } from '../../shaping-options.ts';

/** What a receiver said to a mail. */
export interface Heard {
  readonly route: string;
  readonly site: string;
  readonly reply: string;
  readonly reason: ReasonClass;
  /** The relay said so itself. */
  readonly own: boolean;
  /** When the attempt began. */
  readonly startedAt: number;
  /** Where the mail left from, and all addresses that its stream has. */
  readonly localAddress: string | undefined;
  readonly addresses: readonly string[];
}

/** Decides what follows from what receivers say. The counts are those of this process. */
export interface Automation {
  /** What is to become of the site's lanes; undefined for nothing new. */
  hear(heard: Heard, acting: LaneRule | undefined, now: number): LaneRule | undefined;
  /** Rules, routes and sites for which replies are counted now. */
  readonly counting: number;
}

const WITHIN_MS = 300_000;
const FACTOR = 0.5;
/** What a suspended lane begins with again. */
const FIRST_SHARE = 0.25;
/** No rule leaves less. */
const LEAST = 0.01;
const LEAST_STEP_MS = 10_000;
/** How often counts that are too old are forgotten: a campaign meets thousands of sites that complain once. */
const FORGET_MS = 60_000;

/** Replies of one site that a rule has counted. */
interface Count {
  readonly at: readonly number[];
  /** When the last of them is too old. */
  readonly until: number;
}

/** @param rules - the first that fits a reply counts it */
export function createAutomation(rules: readonly ShapingRule[]): Automation {
  const counts = new Map<string, Count>();
  let forgotAt = 0;

  function forget(now: number): void {
    // A clock that was set back ends what it cannot date.
    for (const [key, { at, until }] of counts) if (until <= now || (at.at(-1) ?? 0) > now) counts.delete(key);
    forgotAt = now;
  }

  /** Whether this reply is the last that was missing. */
  function isEnough(
    { name, times = 1, withinMs = WITHIN_MS }: ShapingRule,
    { route, site }: Heard,
    now: number,
  ): boolean {
    const key = `${name}\t${route}\t${site}`;
    const before = (counts.get(key)?.at ?? []).filter((one) => one <= now && one > now - withinMs);
    const at = [...before, now];
    const enough = at.length >= times;
    if (enough) counts.delete(key);
    else counts.set(key, { at, until: now + withinMs });
    if (now < forgotAt || now >= forgotAt + FORGET_MS) forget(now);
    return enough;
  }

  return {
    get counting() {
      return counts.size;
    },
    hear(heard, acting, now) {
      // What was on its way when a rule began to act says nothing about it. And only a server's own words count.
      if (heard.own || !/^[45]\d\d/.test(heard.reply) || (acting !== undefined && heard.startedAt <= acting.since))
        return undefined;
      const rule = rules.find((one) => fits(one, heard));
      if (rule === undefined || !isEnough(rule, heard, now)) return undefined;
      return made(rule, heard, acting, now);
    },
  };
}

function fits({ site, reply, reason }: ShapingRule, heard: Heard): boolean {
  if (site !== undefined && ![site].flat().includes(heard.site)) return false;
  if (reason !== undefined && ![reason].flat().includes(heard.reason)) return false;
  return reply === undefined || reply.test(heard.reply);
}

function made(rule: ShapingRule, heard: Heard, acting: LaneRule | undefined, now: number): LaneRule {
  const { name, forMs, factor = FACTOR, recoverStepMs = Math.max(LEAST_STEP_MS, forMs / 4) } = rule;
  const until = now + forMs;
  const before = (acting?.avoided ?? []).filter((one) => one.until > now);
  const base = { name, reply: heard.reply, since: now, until, stepMs: recoverStepMs };
  // What was slowed down already, and not enough, is slowed down further.
  const left = factorOf(acting, now) || 1;
  if (rule.action === 'slow') {
    const share = Math.max(LEAST, left * factor);
    return { ...base, factor: share, recoverFrom: Math.min(1, share * 2), avoided: before };
  }
  const { localAddress } = heard;
  if (rule.action === 'move' && localAddress !== undefined) {
    const avoided = [...before.filter(({ address }) => address !== localAddress), { address: localAddress, until }];
    const others = heard.addresses.filter((address) => !avoided.some((one) => one.address === address));
    if (others.length > 0) return { ...base, factor: left, recoverFrom: left, avoided };
  }
  return { ...base, factor: 0, recoverFrom: FIRST_SHARE, avoided: before };
}
