import type { Address, Email } from 'postal-mime';
import type { HttpContext } from '../context.ts';
import { addresses, parse } from './mail.ts';

/** What the list shows of a mail. */
export interface Summary {
  readonly from: string;
  /** Whom this copy went to; with the name that the header gives. */
  readonly recipient: string;
  /** Where the header has the recipient: nowhere for `Bcc`. */
  readonly kind: 'To' | 'Cc' | 'Bcc';
  readonly subject: string;
  /** Copies of one message have one. */
  readonly messageId: string | undefined;
}

/** Captured mails never change, so that each is read once. */
const summaries = new WeakMap<HttpContext['engine'], Map<string, Summary>>();
const MAX_SUMMARIES = 10_000;

/** The lines of the list, read from the header section alone; `undefined` where the mail is no longer kept. */
export async function readSummary(context: HttpContext, id: string): Promise<Summary | undefined> {
  const known = summaries.get(context.engine) ?? new Map<string, Summary>();
  summaries.set(context.engine, known);
  const before = known.get(id);
  if (before !== undefined) return before;
  const captured = await context.engine.capturedHead(id);
  if (captured === undefined) return undefined;
  const summary = summaryOf(await parse(captured.head), captured.recipient);
  if (known.size >= MAX_SUMMARIES) known.clear();
  known.set(id, summary);
  return summary;
}

function summaryOf(mail: Email, recipient: string): Summary {
  const inTo = find(mail.to, recipient);
  const inCc = inTo ?? find(mail.cc, recipient);
  return {
    from: addresses(mail.from),
    recipient: inCc === undefined ? recipient : addresses(inCc),
    kind: inTo !== undefined ? 'To' : inCc !== undefined ? 'Cc' : 'Bcc',
    subject: mail.subject || '(no subject)',
    messageId: mail.messageId,
  };
}

function find(list: readonly Address[] | undefined, recipient: string): Address | undefined {
  return (list ?? [])
    .flatMap((address) => address.group ?? [address])
    .find(({ address }) => address?.toLowerCase() === recipient.toLowerCase());
}
