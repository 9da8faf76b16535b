import type { MessageEvent } from '../events.ts';
import type { Page } from './port.ts';

/** An address that must not get mail. */
export interface Suppression {
  /** Normalised: lower-case, domain in ASCII. */
  readonly address: string;
  /** `all`, `transactional`, `broadcast` or `topic:<name>`. */
  readonly scope: string;
  readonly reason: 'bounced' | 'complained' | 'unsubscribed' | 'manual';
  /** Reply, page or note that led to it. */
  readonly evidence: string | undefined;
  readonly since: Date;
  /** When it ends by itself; undefined for never. */
  readonly until?: Date | undefined;
  /** When it was lifted, and why. Such an entry stops nothing. */
  readonly lifted?: { readonly at: Date; readonly note: string | undefined } | undefined;
}

/** An entry on its way in: `since` now, unless it has been on another list for longer. */
export type NewSuppression = Omit<Suppression, 'since' | 'lifted'> & { readonly since?: Date | undefined };

/** The suppression list. */
export interface SuppressionStore {
  /**
   * Adds an entry, and moves waiting deliveries that it covers to `suppressed`; answers their events. An existing entry stays,
   * unless it was lifted before the new one began, ends before the new one does, or has a reason of less weight: `complained`,
   * `bounced`, `manual`, `unsubscribed`.
   */
  add(entry: NewSuppression, now: number): Promise<MessageEvent[]>;
  /**
   * Removes entries of an address: all scopes, or one. Answers how many. Who left by a link, and gets mail again, can leave
   * again by every mail of the scope.
   */
  remove(address: string, scope?: string): Promise<number>;
  /**
   * Ends entries of an address, all scopes or one, and keeps them with a note; with `reason`, only where that is it. Answers
   * how many.
   */
  lift(
    entry: {
      readonly address: string;
      readonly scope: string | undefined;
      readonly reason?: Suppression['reason'] | undefined;
      readonly note?: string | undefined;
    },
    now: number,
  ): Promise<number>;
  /** The entry that covers an address for a stream and topic, where there is one. Synchronous speed matters: asked before each attempt. */
  find(address: string, scopes: readonly string[], now: number): Suppression | undefined;
  list(query: {
    readonly limit: number;
    readonly after?: string | undefined;
    readonly scope?: string | undefined;
  }): Promise<Page<Suppression>>;
}
