/**
 * Bounces in words, without a delivery status: who did not get the mail, and what was said about each. Servers have their
 * own layouts; an address on a line of its own, in brackets, or behind a word such as "recipient" is what they share.
 */
import type { Contents } from './contents.ts';
import { addressesIn, ownAddresses, screenNamesIn } from './failed-addresses.ts';
import { first, type Headers } from './mime.ts';
import { addressesOf, headerOf } from './returned.ts';

/** One recipient, and what is said about it. */
export interface Failure {
  readonly recipient: string | undefined;
  readonly text: string;
}

const MAX_SAID = 60_000;
const MAX_FAILURES = 200;
/** Where the report ends and the mail that comes back begins. */
const ENDS =
  /^[ \t>*-]{0,120}(?:(?<=--) ?(?:this is a copy|original|returned|below|included|message (?:header|text|body)|the header|start of|header|begin|unsent|your (?:message|mail)|forwarded|nachricht|urspr|message (?:d'origine|original)|mensaje|messaggio|mensagem|texte|オリジナル|元の)|(?:the )?(?:original|first|returned|unsent) (?:message|mail|text|\d+ (?:bytes|lines)).{0,60}(?::[ \t]*$|follows|below|-{3})|(?:begin|start) of (?:original|returned|message)|included is a copy|(?:a )?copy of (?:the|your) (?:message|mail).{0,40}(?:follow|below|:)|(?:original )?message headers?:|original[- ]headers|received: (?:from|by)|return-path: |unsent message below|old message:|the (?:text|body|header|contents?) of (?:the|your) (?:message|mail))/im;
/** Who did not get the mail. */
export function failuresOf(contents: Contents): Failure[] {
  const said = saidIn(contents.text);
  const own = ownAddresses(contents.headers);
  const listed = (contents.headers.get('x-failed-recipients') ?? []).flatMap((value) => addressesOf([value]));
  const found = listed.length > 0 ? listed : namedIn(said, contents, own);
  if (found.length === 0) {
    const to = addressesOf(headerOf(contents)?.get('to') ?? []);
    const only = to.length === 1 && !own.has(to[0]?.toLowerCase() ?? '') ? to[0] : undefined;
    return [{ recipient: only, text: said }];
  }
  const some = found.slice(0, MAX_FAILURES);
  const segments = some.length === 1 ? [said] : segmentsOf(said, some);
  return some.map((recipient, index) => ({ recipient, text: segments[index] ?? '' }));
}

function namedIn(said: string, { headers, returned }: Contents, own: ReadonlySet<string>): string[] {
  const named = addressesIn(said, own, returned);
  if (named.length > 0) return named;
  const names = screenNamesIn(said, headers);
  if (names.length > 0) return names;
  // Some put who did not get the mail into the header of the report.
  const back = new Set(['to', 'return-path'].flatMap((name) => addressesOf(headers.get(name) ?? [])));
  return addressesIn(said, back, returned);
}

/** What the report says, without the mail that comes back. */
export function saidIn(text: string): string {
  const whole = text.slice(0, MAX_SAID);
  const end = whole.slice(1).search(ENDS) + 1;
  const before = end > 0 ? whole.slice(0, end) : whole;
  // A report that begins with the mail says what it has to say behind it.
  return before.trim().length > 20 ? before : whole;
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
