/**
 * Bounces in words, without a delivery status: who did not get the mail, and what was said about each. Servers have their
 * own layouts; an address on a line of its own, in brackets, or behind a word such as "recipient" is what they share.
 */
import type { Contents } from './contents.ts';
import { first, type Headers } from './mime.ts';
import { addressesOf, headerOf } from './returned.ts';
import { readAddress } from './status-fields.ts';

/** One recipient, and what is said about it. */
export interface Failure {
  readonly recipient: string | undefined;
  readonly text: string;
}

const MAX_SAID = 60_000;
const MAX_FAILURES = 200;
const ADDRESS = /[^\s<>()"'[\],;:|*=/\\`「」【】（）]{1,128}@[a-z0-9\u0080-\uffff][a-z0-9.\u0080-\uffff-]{0,250}/gi;
/** Where the report ends and the mail that comes back begins. */
const ENDS =
  /^[ \t>*-]{0,120}(?:(?<=--) ?(?:this is a copy|original|returned|below|included|message (?:header|text|body)|the header|start of|header|begin|unsent|your (?:message|mail)|forwarded|nachricht|urspr|message (?:d'origine|original)|mensaje|messaggio|mensagem|texte|オリジナル|元の)|(?:the )?(?:original|first|returned|unsent) (?:message|mail|text|\d+ (?:bytes|lines)).{0,60}(?::[ \t]*$|follows|below|-{3})|(?:begin|start) of (?:original|returned|message)|included is a copy|(?:a )?copy of (?:the|your) (?:message|mail).{0,40}(?:follow|below|:)|(?:original )?message headers?:|original[- ]headers|received: (?:from|by)|return-path: |unsent message below|the (?:text|body|header|contents?) of (?:the|your) (?:message|mail))/im;
/** Addresses that stand near who did not get the mail, and are somebody else's. */
const OTHERS =
  /(?:from|sender|return-path|reply-to|contact|postmaster|help|support|message-id|in-reply-to|questions?|assistance|please (?:write|mail|e-?mail|forward|contact)|absender|expéditeur|remitente|mittente|de|von|sent by)[ \t:]*<?(?:mailto:)?$/i;
const KEYWORD =
  /(?:recipients?(?:'s)?(?: address(?:es)?)?|rcpt to|(?:final|original)-recipient|to|address(?:es)?|failed|user|mailbox|deliver(?:y|ed)? to|intended for|undeliverable (?:to|address)|destinataires?|empfänger|an|destinatarios?|destinatari[oi]?|geadresseerden?|adressaat|получател\w*|宛先|あて先|収件者|收件人)[ \t]*[:：]?[ \t]*(?:rfc822;|smtp:|<|mailto:)?[ \t]*$/i;

/** Who did not get the mail. */
export function failuresOf(contents: Contents): Failure[] {
  const said = saidIn(contents.text);
  const own = ownAddresses(contents.headers);
  const listed = (contents.headers.get('x-failed-recipients') ?? []).flatMap((value) => addressesOf([value]));
  const found = listed.length > 0 ? listed : addressesIn(said, own, contents.returned);
  if (found.length === 0) {
    const to = addressesOf(headerOf(contents)?.get('to') ?? []);
    const only = to.length === 1 && !own.has(to[0]?.toLowerCase() ?? '') ? to[0] : undefined;
    return [{ recipient: only, text: said }];
  }
  const some = found.slice(0, MAX_FAILURES);
  const segments = some.length === 1 ? [said] : segmentsOf(said, some);
  return some.map((recipient, index) => ({ recipient, text: segments[index] ?? '' }));
}

/** What the report says, without the mail that comes back. */
export function saidIn(text: string): string {
  const whole = text.slice(0, MAX_SAID);
  const end = whole.slice(1).search(ENDS) + 1;
  const before = end > 0 ? whole.slice(0, end) : whole;
  // A report that begins with the mail says what it has to say behind it.
  return before.trim().length > 20 ? before : whole;
}

/** Whom the report is for, and who wrote it. */
function ownAddresses(headers: Headers): Set<string> {
  const names = ['from', 'to', 'sender', 'reply-to', 'return-path', 'delivered-to', 'x-original-to', 'errors-to', 'cc'];
  const values = names.flatMap((name) => headers.get(name) ?? []);
  return new Set(addressesOf(values).map((address) => address.toLowerCase()));
}

function addressesIn(said: string, own: ReadonlySet<string>, returned: Headers | undefined): string[] {
  const senders =
    returned === undefined
      ? []
      : addressesOf(['from', 'sender', 'return-path', 'reply-to'].flatMap((name) => returned.get(name) ?? []));
  const not = new Set([...own, ...senders.map((address) => address.toLowerCase())]);
  const sure = new Map<string, string>();
  const likely = new Map<string, string>();
  for (const match of [...said.matchAll(ADDRESS)].slice(0, 2000)) {
    const address = readAddress(match[0].replace(/^(?:mailto|smtp|rfc822;?):?/i, ''));
    const key = address?.toLowerCase();
    if (
      address === undefined ||
      key === undefined ||
      not.has(key) ||
      !/\.[a-z\u0080-\uffff][a-z0-9-\u0080-\uffff]*$/i.test(address)
    )
      continue;
    if (/^(?:postmaster|mailer-daemon|abuse|support|helpdesk)@/i.test(address)) continue;
    const at = match.index;
    const before = said.slice(Math.max(0, at - 60), at);
    const line = before.slice(before.lastIndexOf('\n') + 1);
    if (OTHERS.test(line)) continue;
    const after = said.slice(at + match[0].length, at + match[0].length + 12);
    const alone =
      /^[ \t>*•·-]*['"<(]?(?:mailto:|smtp:|rfc822;)?$/i.test(line) &&
      /^['">)]?[ \t]*(?:[:\n\r(.[<,;]|on \d|on \w{3}|$)/.test(after);
    (alone || KEYWORD.test(line) || (line.trim() === '<' && after.startsWith('>')) ? sure : likely).set(
      key,
      sure.get(key) ?? likely.get(key) ?? address,
    );
  }
  if (sure.size > 0) return [...sure.values()];
  // Of addresses anywhere in a sentence, the first is whom it is about.
  return [...likely.values()].slice(0, 1);
}

/** What is said from each address to the next one. */
function segmentsOf(said: string, recipients: readonly string[]): string[] {
  const lower = said.toLowerCase();
  const places = recipients.map((recipient) => placesOf(lower, recipient.toLowerCase()));
  const bounds = places
    .flatMap((starts, index) => starts.map((start) => ({ start, index })))
    .sort((a, b) => a.start - b.start);
  const segments = recipients.map(() => '');
  bounds.forEach(({ start, index }, at) => {
    const next = bounds.slice(at + 1, at + 40).find((bound) => bound.index !== index);
    segments[index] = `${segments[index]}\n${said.slice(start, next?.start ?? said.length)}`.slice(0, 8000);
  });
  return segments;
}

function placesOf(text: string, part: string): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(part); at >= 0 && found.length < 20; at = text.indexOf(part, at + part.length))
    found.push(at);
  return found;
}

/** Replies within a text: `550 5.1.1 …`, `#5.1.1 smtp;550 …`. */
export function repliesIn(text: string): { readonly status: string | undefined; readonly code: number | undefined } {
  const status = /(?<![\d.])([245]\.[0-7]\.\d{1,3})(?![\d.]*\d)/.exec(text)?.[1];
  const code = /(?<![\d.,#:/-])([45][0-5]\d)(?=[ -]?(?:[#([]?[45]\.\d\.\d|[ -]\D))/.exec(text)?.[1];
  return { status, code: code === undefined ? undefined : Number(code) };
}

/** Whether a header field of servers says that the mail is a report. */
export function hasFailedHeader(headers: Headers): boolean {
  return (
    headers.has('x-failed-recipients') || /report-type="?delivery-status/i.test(first(headers, 'content-type') ?? '')
  );
}
