/**
 * What an SMTP server saw, as it writes it down before it answers: the truth that the relay is measured against. `begun`:
 * MAIL FROM and RCPT TO; `taken`: the whole mail arrived; `answered`: the server said 250 to it; `refused`: it
 * said no to it for good; `later`: it said no to the recipient for now.
 */
export interface Seen {
  readonly what: 'begun' | 'taken' | 'answered' | 'refused' | 'later';
  /** Ms since the epoch; for `begun` the time of MAIL FROM. */
  readonly at: number;
  readonly to: string;
  readonly messageId: string;
  /** Addresses of links in the mail, without those of the application itself. */
  readonly links: readonly string[];
}

/**
 * How the server behaves. `hang`: says nothing after DATA; `drop-before`: closes as the mail arrives; `drop-after`: takes
 * the mail, and closes without an answer; `busy`: 421 to every connection; `later`: 451 to every recipient; `garbage`: no SMTP.
 * However it behaves, it says 550 to recipients that begin with `gone`, and 554 to the mail of those that begin with `unwanted`.
 */
export type Mode = 'well' | 'hang' | 'drop-before' | 'drop-after' | 'busy' | 'later' | 'garbage';
