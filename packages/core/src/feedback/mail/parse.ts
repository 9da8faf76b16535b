import { createHash } from 'node:crypto';
import { isAutoReply } from './auto-reply.ts';
import { bounce, isBounce } from './bounce-mail.ts';
import { hasFailedHeader } from './bounce-text.ts';
import { complainersOf, isBareComplaint, meaningOf, readComplaint } from './complaint.ts';
import { type Contents, contentsOf } from './contents.ts';
import { first, type Part, readMail, shown, textOf } from './mime.ts';
import type { MailFinding, MailReport, Said } from './report.ts';
import { addressesOf, readReturned } from './returned.ts';
import { readStatus } from './status-fields.ts';
import { findingsOf } from './status-findings.ts';

const NOTHING: Said = { kind: 'mail', findings: [] };

/** Says what a mail that came back means. Takes any bytes, reads a bounded part of them, and never throws. */
export function parseBounceMail(raw: Uint8Array): MailReport {
  const mail = readMail(raw);
  const contents = contentsOf(mail);
  const { findings, ...said } = saidBy(mail, contents);
  const whole = wholeText(mail);
  const date = Date.parse(first(contents.headers, 'date') ?? '');
  return {
    ...said,
    findings: distinct(findings),
    returned: readReturned(contents, whole),
    name: nameOf(contents),
    date: Number.isNaN(date) ? undefined : date,
  };
}

function saidBy(mail: Part, contents: Contents, depth = 0): Said {
  if (contents.complaint !== undefined) return complaint(contents, contents.complaint);
  if (contents.isReceipt && contents.statuses.length === 0)
    return isRefusal(contents) ? bounce(contents) : { kind: 'receipt', findings: [] };
  // A gateway wrapped the report into a report of its own.
  const wrapped = contents.statuses.length === 0 && depth < 3 ? nested(mail) : undefined;
  if (wrapped?.type === 'multipart/report') {
    const inside = contentsOf(wrapped);
    if (inside.statuses.length > 0) return saidBy(wrapped, inside, depth + 1);
  }
  const challenger = challengerOf(contents);
  if (challenger !== undefined) return autoReply(contents, challenger);
  const byStatus = statusOf(contents);
  if (byStatus !== undefined) return byStatus;
  if (isBareComplaint(contents.headers, contents.returned)) return complaint(contents, '');
  if (!hasFailedHeader(contents.headers) && isAutoReply(contents.headers, contents.text))
    return autoReply(contents, addressesOf(contents.headers.get('from') ?? [])[0]);
  if (isBounce(contents)) return bounce(contents);
  // Somebody forwarded a bounce as an attachment.
  const inner = depth < 3 ? nested(mail) : undefined;
  return inner === undefined ? NOTHING : saidBy(inner, contentsOf(inner), depth + 1);
}

function autoReply({ headers }: Contents, recipient: string | undefined): Said {
  const diagnostic = shown(headers, 'subject') || undefined;
  return { kind: 'auto-reply', findings: [{ type: 'auto-replied', recipient, diagnostic }] };
}

/** Whose filter asks whether a person wrote, in a report that looks like a delivery status. */
function challengerOf({ statuses }: Contents): string | undefined {
  const recipients = statuses.flatMap((text) => readStatus(text).recipients);
  return recipients.find(({ diagnostic = '' }) => /sender not pre-?approved/i.test(diagnostic))?.recipient;
}

/** The delivery status, in a part of its own, or among the text. */
function statusOf(contents: Contents): Said | undefined {
  const inText =
    /^(?:final|original)-recipient[ \t]*:/im.test(contents.text) && /^(?:action|status)[ \t]*:/im.test(contents.text);
  const texts = contents.statuses.length > 0 ? contents.statuses : inText ? [contents.text] : [];
  const reports = texts.map(readStatus);
  const recipients = reports.flatMap((report) => report.recipients);
  if (recipients.length === 0) return undefined;
  const reportingMta = reports.find((report) => report.reportingMta !== undefined)?.reportingMta;
  const findings = findingsOf(recipients, contents);
  if (findings.length === 0 || findings.every(({ recipient }) => recipient === undefined)) {
    const words = bounce(contents);
    if (words.findings[0]?.recipient !== undefined) return { ...words, kind: 'dsn', reportingMta };
  }
  return { kind: 'dsn', findings, reportingMta };
}

/** Sieve scripts refuse mails by what looks like a receipt (RFC 5429 section 2.1). */
function isRefusal({ headers, text }: Contents): boolean {
  return /rejected/i.test(first(headers, 'auto-submitted') ?? '') || /was automatically rejected/i.test(text);
}

function complaint(contents: Contents, fields: string): Said {
  const { type, recipients, reportingMta, userAgent } = readComplaint(fields);
  const meaning = meaningOf(type);
  if (meaning === undefined) return { kind: 'arf', findings: [], reportingMta };
  const who =
    recipients.length > 0
      ? recipients
      : complainersOf(
          contents.headers.has('x-hmxmroriginalrecipient') ? contents.headers : undefined,
          contents.returned,
        );
  const diagnostic = [type, userAgent].filter((one) => one !== undefined).join(' by ');
  const raw = fields.slice(0, 8000) || undefined;
  return {
    kind: 'arf',
    reportingMta,
    findings: (who.length > 0 ? who : [undefined]).map((recipient) => ({ type: meaning, recipient, diagnostic, raw })),
  };
}

function nested(mail: Part): Part | undefined {
  if (mail.type === 'message/rfc822' || mail.type === 'message/global') return mail.parts[0];
  for (const part of mail.parts) {
    const found = nested(part);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Everything as text, decoded where it is encoded: what the mail is found again by may stand anywhere. */
function wholeText(mail: Part): string {
  const texts: string[] = [];
  let left = 600_000;
  const walk = (part: Part): void => {
    if (left <= 0) return;
    const head = [...part.headers].flatMap(([name, values]) => values.map((value) => `${name}: ${value}`)).join('\n');
    const body = part.parts.length > 0 ? '' : textOf(part);
    const text = `${head}\n\n${body}`.slice(0, left);
    left -= text.length;
    texts.push(text);
    for (const inner of part.parts) walk(inner);
  };
  walk(mail);
  return texts.join('\n');
}

/** One finding per recipient and type; a report may list one twice. */
function distinct(findings: readonly MailFinding[]): MailFinding[] {
  const seen = new Map(findings.map((finding) => [`${finding.type} ${finding.recipient?.toLowerCase()}`, finding]));
  return [...seen.values()];
}

function nameOf(contents: Contents): string {
  const own = first(contents.headers, 'message-id');
  const text =
    own ??
    `${first(contents.headers, 'date') ?? ''} ${contents.text} ${contents.statuses.join(' ')} ${contents.complaint ?? ''}`;
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
