/** Complaint reports: ARF (RFC 5965), and what providers send in its place. */
import { decodeWords } from './decode.ts';
import { first, type Headers, readHeaders } from './mime.ts';
import { readAddress } from './status-fields.ts';

/** What a report says. */
export interface Complaint {
  /** Lower-case `Feedback-Type`. */
  readonly type: string;
  /** Addresses that are not hidden. */
  readonly recipients: readonly string[];
  readonly reportingMta: string | undefined;
  readonly userAgent: string | undefined;
}

/** Types by which a recipient says that they want no such mail; others are about the mail, or take it back. */
const COMPLAINTS = /^(?:abuse|fraud|complaint|spam|virus|other|miscategorized)$/;
const LEAVING = /^opt-?out(?:-list)?$|^unsubscribe$/;

/** What a type of report is about; undefined where nobody complains: `not-spam`, `auth-failure` (RFC 6591), `dmarc`. */
export function meaningOf(type: string): 'complained' | 'unsubscribed' | undefined {
  if (LEAVING.test(type)) return 'unsubscribed';
  return COMPLAINTS.test(type) ? 'complained' : undefined;
}

/** Reads the fields of a report. */
export function readComplaint(text: string): Complaint {
  const fields = readHeaders(text.trim().replace(/\n\s*\n+/g, '\n'));
  const named = ['original-rcpt-to', 'removal-recipient', 'redacted-address'].flatMap((name) => fields.get(name) ?? []);
  return {
    type: (first(fields, 'feedback-type') ?? 'abuse').trim().toLowerCase().split(/[\s;]/)[0] as string,
    recipients: open(named.flatMap((value) => readAddress(value) ?? [])),
    reportingMta: first(fields, 'reporting-mta')?.replace(/^\s*[\w-]+\s*;\s*/, ''),
    userAgent: first(fields, 'user-agent'),
  };
}

/** Complaints without a report part: Hotmail's JMRP names the recipient in the header, and attaches the mail. */
export function isBareComplaint(headers: Headers, returned: Headers | undefined): boolean {
  if (returned === undefined) return false;
  const from = decodeWords(first(headers, 'from') ?? '');
  const subject = decodeWords(first(headers, 'subject') ?? '');
  return (
    headers.has('x-hmxmroriginalrecipient') ||
    returned.has('x-hmxmroriginalrecipient') ||
    (/staff@hotmail\.com|(?:fbl|feedback(?:loop)?|complaints?|abuse)[\w.-]*@(?!.*(?:daemon))|scomp@aol/i.test(from) &&
      /complaint|abuse|feedback|spam|junk|fw:/i.test(subject))
  );
}

/** Who complains, as far as the headers say it. */
export function complainersOf(...all: (Headers | undefined)[]): string[] {
  const names = ['x-hmxmroriginalrecipient', 'x-original-to', 'delivered-to', 'x-rcpt-to', 'to'];
  for (const name of names) {
    const found = open(all.flatMap((headers) => headers?.get(name) ?? []).flatMap((value) => readAddress(value) ?? []));
    if (found.length > 0) return found.slice(0, 1);
  }
  return [];
}

/** Addresses of which nothing is hidden: reporters put `redacted@…`, `x…@`, or a hash in place of the name. */
function open(addresses: readonly string[]): string[] {
  return addresses.filter(
    (address) =>
      !/^(?:redacted|\*+|x{4,}|undisclosed|hidden|user|\[?redacted\]?)@|redacted/i.test(address) &&
      !/^[0-9a-f]{24,}@/i.test(address),
  );
}
