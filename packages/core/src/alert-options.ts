/** When the operator is told of rates and refusals. */
import type { AlertKind } from './alerts.ts';

/** The option `alerts`. */
export interface AlertOptions {
  /**
   * Alerts about complaints, by mails that were sent; `false` switches them off.
   * @default over 0.1 % and over 0.3 % of at least 1,000 mails
   */
  readonly complaints?: RateAlertOptions | false | undefined;
  /**
   * Alerts about hard bounces, by mails that were sent, bounced or failed; `false` switches them off.
   * @default over 2 % of at least 100 mails
   */
  readonly hardBounces?: RateAlertOptions | false | undefined;
  /**
   * Hours that a rate is taken over, 1 to 720: of the mail that was sent in them, whenever it came back.
   * @default 72
   */
  readonly windowHours?: number | undefined;
  /**
   * Warnings about mail that was refused for a reason of the sender or of what it says; `false` switches them off.
   * @default one an hour for each route, site and reason
   */
  readonly warnings?: WarningOptions | false | undefined;
}

/** Which rates alert. */
export interface RateAlertOptions {
  /**
   * Shares between 0 and 1 that give an alert where they are passed, at most 10.
   * @default `[0.001, 0.003]` for complaints, `[0.02]` for hard bounces
   */
  readonly rates?: readonly number[] | undefined;
  /**
   * Mails that the window must have, at least 1.
   * @default 1000 for complaints, 100 for hard bounces
   */
  readonly minVolume?: number | undefined;
}

/** How often to warn. */
export interface WarningOptions {
  /**
   * Minutes in which the same refusals are told once, 1 to 1440; the first of them at once.
   * @default 60
   */
  readonly everyMinutes?: number | undefined;
}

/** One kind of alert with nothing left open. */
export interface RateRule {
  readonly kind: AlertKind;
  readonly thresholds: readonly number[];
  readonly minVolume: number;
}

/** Alerts with nothing left open; plain data. */
export interface AlertPolicy {
  /** Empty where all are off. */
  readonly rules: readonly RateRule[];
  readonly windowMs: number;
  /** Undefined where warnings are off. */
  readonly warnEveryMs: number | undefined;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Fills in the defaults. */
export function resolveAlerts(options: AlertOptions | false = {}): AlertPolicy {
  if (options === false) return { rules: [], windowMs: 72 * HOUR_MS, warnEveryMs: undefined };
  const { complaints = {}, hardBounces = {}, windowHours = 72, warnings = {} } = options;
  return {
    rules: [
      ...ruleOf('complaint-rate', complaints, { rates: [0.001, 0.003], minVolume: 1000 }),
      ...ruleOf('hard-bounce-rate', hardBounces, { rates: [0.02], minVolume: 100 }),
    ],
    windowMs: windowHours * HOUR_MS,
    warnEveryMs: warnings === false ? undefined : (warnings.everyMinutes ?? 60) * MINUTE_MS,
  };
}

function ruleOf(
  kind: AlertKind,
  given: RateAlertOptions | false,
  standard: { readonly rates: readonly number[]; readonly minVolume: number },
): RateRule[] {
  if (given === false) return [];
  const { rates = standard.rates, minVolume = standard.minVolume } = given;
  return [{ kind, thresholds: [...new Set(rates)], minVolume }];
}
