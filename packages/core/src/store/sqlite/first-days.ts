import type { WayMetric } from '../report-port.ts';
import { DAY_MS } from './counts.ts';
import type { Ledger, MessageFacts } from './ledger.ts';
import type { Walked } from './way-counts.ts';

/** Figures that count a delivery once, on the day of what happened first. The order is the place in `delivery.firsts`: append only. */
const FIGURES: readonly FirstFigure[] = [
  'opensUnique',
  'opensUniqueHuman',
  'clicksUnique',
  'clicksUniqueHuman',
  'unsubscribed',
  'bounced',
  'failed',
  'complained',
  'hardBounced',
];

/** Such a figure. */
export type FirstFigure = Extract<
  WayMetric,
  `${'opens' | 'clicks'}Unique${'' | 'Human'}` | 'unsubscribed' | 'bounced' | 'failed' | 'complained' | 'hardBounced'
>;

/** Digits in base 36 of one day: they last until 2097. */
const DIGITS = 3;
const MOST = 36 ** DIGITS - 1;

/** What happened to a delivery, as it counts for a figure. */
export interface Once {
  readonly delivery: Walked;
  readonly facts: MessageFacts;
  readonly figure: FirstFigure;
  /** What counts on the same day, and as often. */
  readonly beside?: WayMetric | undefined;
  /** Whether it counts already. */
  readonly counted: boolean;
  readonly at: number;
}

/**
 * Counts once, on the day of the first, in whatever order they come: where an earlier one comes later, the count moves to its
 * day. Answers the days that the delivery keeps; the same text where nothing has changed. Inside of `write`.
 */
export function countOnce(ledger: Ledger, firsts: string | null, once: Once): string | null {
  const { delivery, facts, figure, beside, counted, at } = once;
  const day = Math.floor(at / DAY_MS);
  const known = counted ? firstDay(firsts, figure) : undefined;
  // Of what was counted by an earlier version the day is not known.
  if (counted && (known === undefined || day >= known)) return firsts;
  for (const metric of beside === undefined ? [figure] : [figure, beside]) {
    if (known !== undefined) ledger.countOf(delivery, facts, metric, known * DAY_MS, -1);
    ledger.countOf(delivery, facts, metric, at);
  }
  return withDay(firsts, figure, day);
}

/** The day on which a delivery counts for a figure; undefined where it is not known. */
export function firstDay(firsts: string | null, figure: FirstFigure): number | undefined {
  if (firsts === null) return undefined;
  const place = FIGURES.indexOf(figure) * DIGITS;
  const day = Number.parseInt(firsts.slice(place, place + DIGITS), 36);
  return Number.isNaN(day) ? undefined : day;
}

function withDay(firsts: string | null, figure: FirstFigure, day: number): string {
  const place = FIGURES.indexOf(figure) * DIGITS;
  const digits = day >= 0 && day <= MOST ? day.toString(36).padStart(DIGITS, '0') : ' '.repeat(DIGITS);
  const known = (firsts ?? '').padEnd(place);
  return known.slice(0, place) + digits + known.slice(place + DIGITS);
}
