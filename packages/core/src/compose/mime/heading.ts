import type { Content, HeaderField } from '../../message.ts';
import { encodeWords, fields, mailboxes } from './headers.ts';
import type { MailParts } from './parts.ts';

/** The header of a mail but for what describes its body. What all mails of a content share is written out once. */
export type Heading = (parts: MailParts) => string;

/** Headers by which mail programs know a priority. */
const PRIORITIES: Readonly<Record<NonNullable<Content['priority']>, readonly HeaderField[]>> = {
  high: [
    ['X-Priority', '1 (Highest)'],
    ['X-MSMail-Priority', 'High'],
    ['Importance', 'High'],
  ],
  normal: [],
  low: [
    ['X-Priority', '5 (Lowest)'],
    ['X-MSMail-Priority', 'Low'],
    ['Importance', 'Low'],
  ],
};

/** Prepares a content. */
export function createHeading(content: Content): Heading {
  const { from, sender, cc, replyTo, inReplyTo, references, priority } = content;
  const first =
    fields(content.headers) + written('From', mailboxes([from])) + written('Sender', sender && mailboxes([sender]));
  const last =
    written('Cc', mailboxes(cc)) +
    written('Reply-To', mailboxes(replyTo)) +
    written('In-Reply-To', inReplyTo) +
    written('References', references.join('\r\n ')) +
    fields(priority === undefined ? [] : PRIORITIES[priority]) +
    written('MIME-Version', '1.0');
  return ({ to, subject, messageId, date, headers, routeHead = '' }) =>
    routeHead +
    first +
    written('To', mailboxes(to)) +
    `Subject: ${encodeWords(subject)}\r\n` +
    written('Message-ID', messageId) +
    written('Date', new Date(date).toUTCString().replace('GMT', '+0000')) +
    fields(headers) +
    last;
}

/** A field whose value is folded already; nothing where it has none. */
function written(name: string, value: string | undefined): string {
  return value === undefined || value === '' ? '' : `${name}: ${value}\r\n`;
}
