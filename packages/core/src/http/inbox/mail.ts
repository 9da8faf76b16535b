import type { Address, Email } from 'postal-mime';
import type { HttpContext } from '../context.ts';

/** Reads a captured mail; `undefined` where it is no longer kept. */
export async function readMail(context: HttpContext, id: string): Promise<Email | undefined> {
  const bytes = await context.engine.capturedSource(id);
  return bytes && parse(bytes);
}

async function parse(bytes: Uint8Array): Promise<Email> {
  const { default: PostalMime } = await import('postal-mime');
  return PostalMime.parse(bytes, { rfc822Attachments: true });
}

/** What the list shows of a mail. */
export interface Summary {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
}

/** Captured mails never change, so that each is read once. */
const summaries = new WeakMap<HttpContext['engine'], Map<string, Summary>>();
const MAX_SUMMARIES = 1000;

/** The lines of the list, read from the header section alone. */
export async function readSummary(context: HttpContext, id: string): Promise<Summary> {
  const known = summaries.get(context.engine) ?? new Map<string, Summary>();
  summaries.set(context.engine, known);
  const before = known.get(id);
  if (before !== undefined) return before;
  const bytes = await context.engine.capturedSource(id);
  if (bytes === undefined) return { from: '', to: '', subject: '(no longer kept)' };
  const mail = await parse(headerSection(bytes));
  const summary = {
    from: addresses(mail.from),
    to: addresses(...(mail.to ?? [])),
    subject: mail.subject ?? '(no subject)',
  };
  if (known.size >= MAX_SUMMARIES) known.clear();
  known.set(id, summary);
  return summary;
}

function headerSection(bytes: Uint8Array): Uint8Array {
  const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf('\r\n\r\n');
  return end < 0 ? bytes : bytes.subarray(0, end + 4);
}

/** Addresses as people write them. */
export function addresses(...list: readonly (Address | undefined)[]): string {
  const one = (address: Address): string => {
    if (address.group !== undefined) return `${address.name}: ${address.group.map(one).join(', ')};`;
    return address.name === '' ? address.address : `${address.name} <${address.address}>`;
  };
  return list.flatMap((address) => (address === undefined ? [] : [one(address)])).join(', ');
}

/** Every link of a mail once, in its order: from the HTML, else from the text. */
export function linksOf(mail: Email): readonly string[] {
  const found =
    mail.html === undefined
      ? (mail.text ?? '').matchAll(/(https?:\/\/[^\s<>"')\]]+)/g)
      : mail.html.matchAll(/<a\b[^>]*?\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')/gi);
  return [...new Set([...found].map((match) => decodeAmpersands(match[1] ?? match[2] ?? '')))].filter(
    (url) => url !== '',
  );
}

function decodeAmpersands(text: string): string {
  return text.replaceAll('&amp;', '&');
}
