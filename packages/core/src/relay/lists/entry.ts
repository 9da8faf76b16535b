import { normalizeAddress } from '../../address.ts';
import { isScope } from '../../scope.ts';
import type { Suppression } from '../../store/port.ts';
import { timeIn } from './reasons.ts';
import type { Said } from './said.ts';

/** An entry on its way to the list, with the time that it has been on another one since. */
export type Entry = Omit<Suppression, 'since' | 'lifted'> & { readonly since?: Date | undefined };

/** Complaints and unsubscribes at a provider end what is sent to many; who bounced gets nothing. */
function scopeFor(reason: Suppression['reason'], format: string): string {
  return format !== 'list' && (reason === 'complained' || reason === 'unsubscribed') ? 'broadcast' : 'all';
}

/**
 * The entries that a row makes, one for each scope.
 *
 * @throws MailRelayError `ADDRESS_INVALID`, Error where something else is wrong, or where it is none
 */
export function entriesOf(
  said: Said,
  context: {
    readonly format: { readonly name: string; readonly reason: Suppression['reason'] };
    /** What the caller wants where an entry does not say. */
    readonly options: { readonly scope?: string | undefined; readonly reason?: Suppression['reason'] | undefined };
    readonly now: number;
  },
): Entry[] {
  const { format, options, now } = context;
  // `export()` writes an apostrophe before what a spreadsheet would take for a formula.
  const address = normalizeAddress((said.address ?? '').replace(/^'/, ''));
  if (said.skip !== undefined) throw new Error(said.skip);
  const reason = said.reason ?? options.reason ?? format.reason;
  const scopes = said.scopes ?? [options.scope ?? scopeFor(reason, format.name)];
  const wrong = scopes.find((scope): boolean => !isScope(scope));
  if (wrong !== undefined) throw new Error(`${wrong.slice(0, 50)} is no scope`);
  const until = said.until === undefined ? undefined : new Date(said.until);
  if (until !== undefined && Number.isNaN(until.getTime())) throw new Error(`${said.until?.slice(0, 50)} is no time`);
  const since = timeIn(said.since, now);
  return scopes.map((scope) => ({
    address,
    scope,
    reason,
    evidence: said.evidence === '' ? undefined : said.evidence?.slice(0, 1000),
    ...(until === undefined ? {} : { until }),
    ...(since === undefined ? {} : { since }),
  }));
}
