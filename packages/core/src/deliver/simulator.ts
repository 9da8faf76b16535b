/**
 * Mailboxes that the capture transport plays, so that an application meets refusals without a server: `missing@`, `full@`,
 * `busy@` … under a domain that RFC 6761 reserves. They say what real servers say, and it is read as theirs is. `+async`
 * takes the mail and bounces later, as a server behind the first one does; anything else after `+` tells mailboxes apart.
 */

/** The domain of the simulated mailboxes. Other names than those below take all mail. */
const SIMULATOR_DOMAIN = 'simulator.example';

/** What a mailbox says. */
interface Mailbox {
  /** What the reply answers. */
  readonly step: 'RCPT' | 'MESSAGE';
  readonly reply: string;
  /** So many attempts are refused, and then the mail is taken. @default all */
  readonly attempts?: number;
}

const MAILBOXES: Readonly<Record<string, Mailbox>> = {
  missing: { step: 'RCPT', reply: '550 5.1.1 <%s>: Recipient address rejected: User unknown in virtual mailbox table' },
  inactive: { step: 'RCPT', reply: '550 5.2.1 The email account that you tried to reach is disabled' },
  full: { step: 'RCPT', reply: '552 5.2.2 <%s>: Recipient address rejected: Mailbox full' },
  large: { step: 'MESSAGE', reply: '552 5.3.4 Message size exceeds fixed limit' },
  spam: { step: 'MESSAGE', reply: '550 5.7.1 Message rejected: it was classified as spam' },
  blocked: { step: 'RCPT', reply: '554 5.7.1 Service unavailable; Client host blocked using zen.spamhaus.org' },
  busy: { step: 'RCPT', reply: '451 4.3.2 <%s>: System not accepting mail now, try again later', attempts: 1 },
  greylisted: { step: 'RCPT', reply: '451 4.7.1 <%s>: Recipient address rejected: Greylisted', attempts: 1 },
  down: { step: 'RCPT', reply: '450 4.3.2 Service temporarily unavailable' },
};

/** What is to happen to a mail for a simulated mailbox. */
export type Scene =
  | { readonly type: 'refuse'; readonly step: string; readonly reply: string; readonly attempts: number }
  | { readonly type: 'bounce-later'; readonly reply: string }
  | { readonly type: 'complain-later' };

/** What a simulated mailbox does; undefined where the mail is taken, and that was all. */
export function sceneFor(address: string): Scene | undefined {
  const at = address.lastIndexOf('@');
  if (address.slice(at + 1).toLowerCase() !== SIMULATOR_DOMAIN) return undefined;
  const [name = '', ...tags] = address.slice(0, at).toLowerCase().split('+');
  if (name === 'complaint') return { type: 'complain-later' };
  const mailbox = Object.hasOwn(MAILBOXES, name) ? MAILBOXES[name] : undefined;
  if (mailbox === undefined) return undefined;
  const reply = mailbox.reply.replace('%s', address);
  if (tags.includes('async')) return { type: 'bounce-later', reply };
  return { type: 'refuse', step: mailbox.step, reply, attempts: mailbox.attempts ?? Number.POSITIVE_INFINITY };
}
