/** Which mail a route takes. */
import type { Stream } from '../message.ts';

/** One value, or several of which one must fit. */
type OneOrMore<T> = T | readonly T[];

/**
 * What a mail must be so that a route takes it; all that is given must fit. Names and domains are compared whole, and `*`
 * stands for any text: `news-*`, `*.example.com`.
 */
export interface RouteRules {
  /** Stream of the mail. */
  readonly stream?: OneOrMore<Stream> | undefined;
  /** Domain of `from`. */
  readonly senderDomain?: OneOrMore<string> | undefined;
  /** Domain of the recipient. */
  readonly recipientDomain?: OneOrMore<string> | undefined;
  /**
   * Site of the recipient's domain: who hosts its mail, as `google`, `microsoft-365` or any site of `shaping`, which the DNS
   * tells. Domains that take no mail have none. Where the DNS does not answer, the mail waits.
   */
  readonly site?: OneOrMore<string> | undefined;
  /** One of the tags of the mail. */
  readonly tag?: OneOrMore<string> | undefined;
  /** Campaign of the mail; mail without one does not fit. */
  readonly campaign?: OneOrMore<string> | undefined;
}

/** How a route did of late. */
export interface RouteHealth {
  /** `open`: it does not work, and nothing goes; `half-open`: one mail tries it. */
  readonly state: 'closed' | 'open' | 'half-open';
  /** Since when it is in this state, ms since the epoch. */
  readonly since: number;
  /** Failures in a row. */
  readonly failures: number;
  /** When the next probe may go, ms since the epoch; undefined while it is closed. */
  readonly probeAt: number | undefined;
}
