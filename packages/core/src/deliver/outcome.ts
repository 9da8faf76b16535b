import type { ReasonClass } from '../events.ts';
import type { ClaimedDelivery, Settlement } from '../queue/port.ts';
import type { Attempt } from './port.ts';

/** What follows from an attempt: the outcome, joined with the retry schedule. */
export function toSettlement(input: {
  readonly claimed: Pick<ClaimedDelivery, 'id'>;
  readonly attempt: Attempt;
  /** Why the mail was withdrawn as it was about to be sent; undefined where it goes back into the queue. */
  readonly withdrawn: string | undefined;
  /** When to try again; undefined where the delivery is too old. */
  retryAt(deferral: { readonly reason: ReasonClass; readonly retryAfterMs: number | undefined }): number | undefined;
  /** The route that tries at once, where this one failed the mail for reasons of its own. */
  readonly next: string | undefined;
  /** The route that a later attempt begins with, where none takes it now; undefined for the same. */
  readonly later: string | undefined;
  /** A refusal of us that is for good where it was said: another way may be open later. */
  readonly elsewhere: boolean;
  readonly now: number;
}): Settlement {
  const { outcome, transcript } = input.attempt;
  const doubt = outcome.type === 'unknown' ? ({ inDoubt: true } as const) : {};
  const base = { deliveryId: input.claimed.id, startedAt: transcript.startedAt, transcript, ...doubt };
  if (input.next !== undefined && 'fault' in outcome && outcome.fault !== undefined) {
    const { reply, status, reason } = outcome;
    return { ...base, result: { type: 'deferred', retryAt: input.now, reply, status, reason, movedTo: input.next } };
  }
  if (outcome.type === 'sent') return { ...base, result: outcome };
  if (outcome.type === 'withdrawn')
    return {
      ...base,
      startedAt: undefined,
      transcript: undefined,
      result: input.withdrawn === undefined ? { type: 'returned' } : { type: 'suppressed', reason: input.withdrawn },
    };
  const { reply, reason } = outcome;
  const status = outcome.type === 'unknown' ? undefined : outcome.status;
  const retryAfterMs = outcome.type === 'deferred' ? outcome.retryAfterMs : undefined;
  const final = outcome.type === 'bounced' && !input.elsewhere;
  const retryAt = final ? undefined : input.retryAt({ reason, retryAfterMs });
  if (outcome.type === 'bounced' && retryAt === undefined) {
    const { fault: _, own: __, ...result } = outcome;
    return { ...base, result };
  }
  if (retryAt === undefined) return { ...base, result: { type: 'failed', reply, status, reason: 'expired' } };
  // Who asked for patience knows us by this route, and after an unknown outcome no other may be asked.
  const movedTo = outcome.type !== 'unknown' && outcome.fault !== undefined ? input.later : undefined;
  return { ...base, result: { type: 'deferred', retryAt, reply, status, reason, movedTo } };
}
