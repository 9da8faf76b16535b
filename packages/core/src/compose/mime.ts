import MailComposer from 'nodemailer/lib/mail-composer';
import type { Mailbox } from '../address.ts';
import type { Content, HeaderField } from '../message.ts';
import type { BlobStore } from '../store/port.ts';

/** Everything that goes into one mail. */
export interface MailParts {
  readonly content: Content;
  readonly to: readonly Mailbox[];
  readonly subject: string;
  readonly html: string | undefined;
  readonly text: string | undefined;
  readonly messageId: string;
  readonly date: number;
  /** List-Unsubscribe and its kin. */
  readonly headers: readonly HeaderField[];
}

const WORD_BYTES = 45;

/** Writes a mail of text and HTML directly; anything richer goes through nodemailer's MailComposer. */
export async function composeMime(parts: MailParts, blobs: Pick<BlobStore, 'get'>): Promise<Buffer> {
  const { content } = parts;
  const plain = content.attachments.length === 0 && content.alternatives.length === 0 && content.priority === undefined;
  return plain && isPlain(parts) ? composePlain(parts) : composeRich(parts, blobs);
}

/** Long custom headers need folding, which MailComposer does. */
function isPlain({ content, headers, subject }: MailParts): boolean {
  return (
    subject.length < 900 && [...content.headers, ...headers].every(([, value]) => value.length < 900 && isAscii(value))
  );
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e\t]*$/.test(text);
}

function composePlain(parts: MailParts): Buffer {
  const { content, html, text } = parts;
  const lines = headLines(parts);
  if (html !== undefined && text !== undefined) {
    // Derived from the Message-ID, so that each attempt is the same to the byte.
    const boundary = `=_${Buffer.from(parts.messageId).toString('base64url').slice(0, 40)}`;
    lines.push(`Content-Type: multipart/alternative; boundary="${boundary}"`, '');
    const head = Buffer.from(`${lines.join('\r\n')}\r\n`);
    return Buffer.concat([
      head,
      Buffer.from(`--${boundary}\r\n`),
      bodyPart('text/plain', text),
      Buffer.from(`\r\n--${boundary}\r\n`),
      bodyPart('text/html', html),
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);
  }
  const body = html === undefined ? bodyPart('text/plain', text ?? '') : bodyPart('text/html', html);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n`), body, Buffer.from('\r\n')]);

  function headLines({ to, subject, messageId, date, headers }: MailParts): string[] {
    return [
      ...content.headers.map(([name, value]) => `${name}: ${value}`),
      `From: ${mailboxes([content.from])}`,
      ...(content.sender === undefined ? [] : [`Sender: ${mailboxes([content.sender])}`]),
      ...(to.length === 0 ? [] : [`To: ${mailboxes(to)}`]),
      ...(content.cc.length === 0 ? [] : [`Cc: ${mailboxes(content.cc)}`]),
      ...(content.replyTo.length === 0 ? [] : [`Reply-To: ${mailboxes(content.replyTo)}`]),
      ...(content.inReplyTo === undefined ? [] : [`In-Reply-To: ${content.inReplyTo}`]),
      ...(content.references.length === 0 ? [] : [`References: ${content.references.join('\r\n ')}`]),
      `Subject: ${encodeWords(subject)}`,
      `Message-ID: ${messageId}`,
      `Date: ${new Date(date).toUTCString().replace('GMT', '+0000')}`,
      ...headers.map(([name, value]) => `${name}: ${value}`),
      'MIME-Version: 1.0',
    ];
  }
}

function mailboxes(list: readonly Mailbox[]): string {
  return list
    .map(({ name, address }) => (name === undefined ? address : `${phrase(name)} <${address}>`))
    .join(',\r\n ');
}

function phrase(name: string): string {
  if (!isAscii(name)) return encodeWords(name);
  return /^[\w !#$%&'*+/=?^`{|}~-]+$/.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`;
}

/** RFC 2047: encoded words of at most 75 characters, never splitting a character. */
function encodeWords(text: string): string {
  if (isAscii(text) && !text.includes('=?')) return text;
  const words: string[] = [];
  let word = '';
  for (const character of text) {
    if (Buffer.byteLength(word + character) > WORD_BYTES) {
      words.push(word);
      word = '';
    }
    word += character;
  }
  words.push(word);
  return words.map((one) => `=?UTF-8?B?${Buffer.from(one).toString('base64')}?=`).join('\r\n ');
}

/** ASCII with short lines goes as it is, anything else as base64. */
function bodyPart(type: string, body: string): Buffer {
  const normalized = body.replace(/\r?\n/g, '\r\n');
  if (!/[^\p{ASCII}]/u.test(normalized) && hasShortLines(normalized)) {
    return Buffer.from(
      `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n${normalized}`,
      'latin1',
    );
  }
  const encoded = Buffer.from(normalized)
    .toString('base64')
    .replace(/.{76}(?=.)/g, '$&\r\n');
  return Buffer.from(
    `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${encoded}`,
    'latin1',
  );
}

/** Whether no line is over 998 octets (RFC 5322 section 2.1.1). A loop: a pattern takes a hundred times as long. */
function hasShortLines(text: string): boolean {
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
    if (end - start > 998) return false;
    start = end + 1;
  }
  return text.length - start <= 998;
}

async function composeRich(parts: MailParts, blobs: Pick<BlobStore, 'get'>): Promise<Buffer> {
  const { content, html, text } = parts;
  const bytesOf = async (hash: string): Promise<Buffer> => Buffer.from((await blobs.get('attachment', hash)) ?? []);
  const attachments = await Promise.all(
    content.attachments.map(async ({ hash, bytes: _, headers, ...rest }) => ({
      ...rest,
      content: await bytesOf(hash),
      ...(headers === undefined ? {} : { headers: headers.map(([key, value]) => ({ key, value })) }),
    })),
  );
  const calendar = content.alternatives.find(({ method }) => method !== undefined);
  const others = content.alternatives.filter(({ method }) => method === undefined);
  const composer = new MailComposer({
    from: named(content.from),
    ...(content.sender === undefined ? {} : { sender: named(content.sender) }),
    to: parts.to.map(named),
    cc: content.cc.map(named),
    replyTo: content.replyTo.map(named),
    ...(content.inReplyTo === undefined ? {} : { inReplyTo: content.inReplyTo }),
    references: [...content.references],
    subject: parts.subject,
    messageId: parts.messageId,
    date: new Date(parts.date),
    ...(html === undefined ? {} : { html }),
    ...(text === undefined ? {} : { text }),
    ...(content.priority === undefined ? {} : { priority: content.priority }),
    headers: [...content.headers, ...parts.headers].map(([key, value]) => ({ key, value })),
    attachments: attachments.map((one) =>
      Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined)),
    ),
    alternatives: await Promise.all(
      others.map(async ({ hash, contentType }) => ({ contentType, content: await bytesOf(hash) })),
    ),
    ...(calendar === undefined
      ? {}
      : {
          icalEvent: {
            method: calendar.method ?? 'PUBLISH',
            filename: calendar.filename ?? 'invite.ics',
            content: await bytesOf(calendar.hash),
          },
        }),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}

function named({ name, address }: Mailbox): { name: string; address: string } {
  return { name: name ?? '', address };
}
