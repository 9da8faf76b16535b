import type { ReasonClass } from '../events.ts';

/** One row: the first that fits decides. */
export interface ReasonRule {
  /** Names the row in tests and evidence. */
  readonly name: string;
  /** Words, without addresses and with single spaces, in lower case. */
  readonly match: RegExp;
  readonly reason: ReasonClass;
  /** Only for replies of this class: `5` for what is said for good. */
  readonly only?: '4' | '5';
  /** Where it is not what its reason usually is. */
  readonly kind?: 'hard' | 'soft';
}
