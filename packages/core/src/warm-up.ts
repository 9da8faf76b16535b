/** The warm-up of an address that nobody knows yet: what may be sent on each day. Days are those of UTC. */
import { either, group, list, oneOf, type Rule, record, rule, whole } from './rules.ts';

/** Warm-up of a route: for a new local address, one that has this address alone. */
export interface WarmUpOptions {
  /** The first day, as `2026-12-01` (UTC). Nothing leaves by the route before. */
  readonly from: string;
  /**
   * Most mails of each day on which the route sends, at most 90 days; after the last there is no ceiling. `standard` begins
   * with 50 and reaches 600,000 after 20 days. A day without mail does not count, and after three such days in a row each
   * further one goes back a day.
   * @default standard
   */
  readonly days?: 'standard' | readonly number[] | undefined;
  /** The same for single receivers, beside that of the route: `{ outlook: [20, 50, 100] }`. Needs a route with `shaping`. */
  readonly perSite?: Readonly<Record<string, readonly number[]>> | undefined;
  /** What happens with mail beyond the ceiling: it waits for the next day, or takes the next route that takes it. @default wait */
  readonly overflow?: 'wait' | 'next-route' | undefined;
}

/** A calendar, ready to be looked at. */
export interface WarmUp {
  /** The first day, days since the epoch. */
  readonly from: number;
  readonly days: readonly number[];
  readonly overflow: 'wait' | 'next-route';
}

export const DAY_MS = 86_400_000;
/** Days of the past that are looked at. */
export const KEPT_DAYS = 400;
/** So many days without mail change nothing: weekends and holidays. */
const PAUSE_DAYS = 3;
const STANDARD: readonly number[] = [
  50, 100, 200, 400, 800, 1500, 3000, 5000, 8000, 12_000, 18_000, 27_000, 40_000, 60_000, 90_000, 130_000, 190_000,
  280_000, 400_000, 600_000,
];

const calendar = (value: unknown): boolean => Array.isArray(value) && value.length > 0 && value.length <= 90;
const days: Rule = either(
  calendar,
  list(whole(1)),
  rule(() => false, 'must be a list of 1 to 90 numbers'),
);

/** Rule of {@link WarmUpOptions}. */
export const WARM_UP: Rule = group<WarmUpOptions>(
  {
    from: rule((value) => typeof value === 'string' && dayOf(value) !== undefined, 'must be a day such as 2026-12-01'),
    days: either(
      (value) => value === 'standard',
      () => undefined,
      days,
    ),
    perSite: record(days),
    overflow: oneOf(['wait', 'next-route']),
  },
  { needed: ['from'] },
);

/** The calendars of a route: of all its mail, and of receivers. */
export function calendarsOf({ from, days: given = 'standard', perSite = {}, overflow = 'wait' }: WarmUpOptions): {
  readonly all: WarmUp;
  readonly sites: ReadonlyMap<string, WarmUp>;
} {
  const base = { from: dayOf(from) ?? 0, overflow };
  return {
    all: { ...base, days: given === 'standard' ? STANDARD : given },
    sites: new Map(Object.entries(perSite).map(([site, own]) => [site, { ...base, days: own }])),
  };
}

/**
 * The ceiling of a day; undefined where there is none any more.
 *
 * @param sentOn - whether mail was sent on a day before
 */
export function ceilingOn(warmUp: WarmUp, today: number, sentOn: (day: number) => boolean): number | undefined {
  if (today < warmUp.from) return 0;
  let stage = 0;
  let idle = 0;
  for (let day = Math.max(warmUp.from, today - KEPT_DAYS); day < today; day++) {
    if (sentOn(day)) {
      stage = Math.min(stage + 1, warmUp.days.length);
      idle = 0;
    } else {
      idle += 1;
      if (idle > PAUSE_DAYS) stage = Math.max(0, stage - 1);
    }
  }
  return warmUp.days[stage];
}

/** Days since the epoch; undefined for what is no day. */
function dayOf(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  const at = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== text ? undefined : at / DAY_MS;
}
