import { Parser } from 'htmlparser2';
import PostalMime, { type Address, type Email } from 'postal-mime';
import type { DeliveryRecord, Json, MessageRecord, Stream } from '../index.ts';

/** A link of a mail, as a reader sees it. */
export interface TestLink {
  /** What can be clicked on: text, or that of a picture; in a mail without HTML the address itself. */
  readonly text: string;
  /** As it stands in the mail: over the relay, where clicks are tracked. */
  readonly url: string;
}

/** An attachment of a mail. */
export interface TestAttachment {
  readonly filename: string | undefined;
  readonly contentType: string;
  readonly content: Buffer;
}

/** A mail that was sent, read as the recipient's program reads it. */
export interface TestMail {
  /** Id of the delivery. */
  readonly id: string;
  /** Id of the message. */
  readonly messageId: string;
  /** The recipient whose mail it is. */
  readonly to: string;
  /** As it stands in the header. */
  readonly from: string;
  readonly subject: string;
  readonly html: string | undefined;
  readonly text: string | undefined;
  readonly links: readonly TestLink[];
  readonly attachments: readonly TestAttachment[];
  readonly template: string | undefined;
  readonly campaign: string | undefined;
  readonly stream: Stream;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, Json>> | undefined;
  /** All of it, as it would have been sent. */
  readonly source: string;
  /** The value of a header field; undefined where there is none. */
  header(name: string): string | undefined;
  /** The first link with this text, or whose text or address matches. @throws Error with the links that there are */
  link(text: string | RegExp): TestLink;
}

/** Reads a captured mail. */
export async function readTestMail(
  record: MessageRecord,
  delivery: DeliveryRecord,
  source: Uint8Array,
): Promise<TestMail> {
  const email = await PostalMime.parse(source);
  const links = linksOf(email);
  const subject = email.subject ?? '';
  return {
    id: delivery.id,
    messageId: record.id,
    to: delivery.recipient,
    from: email.from === undefined ? '' : written(email.from),
    subject,
    html: email.html,
    text: email.text?.trimEnd(),
    links,
    attachments: email.attachments.map(({ filename, mimeType, content }) => ({
      filename: filename ?? undefined,
      contentType: mimeType,
      content: typeof content === 'string' ? Buffer.from(content) : Buffer.from(content as ArrayBuffer),
    })),
    template: record.template,
    campaign: record.campaign,
    stream: record.stream,
    tags: record.tags,
    metadata: record.metadata,
    source: Buffer.from(source).toString('utf8'),
    header: (name) => email.headers.find(({ key }) => key === name.toLowerCase())?.value,
    link(text) {
      const found =
        typeof text === 'string'
          ? links.find((link) => link.text === text)
          : links.find((link) => text.test(link.text) || text.test(link.url));
      if (found !== undefined) return found;
      const there = links.map((link) => JSON.stringify(link.text)).join(', ');
      throw new Error(`"${subject}" has no link ${text}; its links are ${there || 'none'}`);
    },
  };
}

function written({ name, address }: Address): string {
  return name === '' ? (address ?? '') : `${name} <${address}>`;
}

function linksOf({ html, text = '' }: Email): TestLink[] {
  if (html === undefined) return [...text.matchAll(/https?:\/\/[^\s<>"')\]]+/g)].map(([url]) => ({ text: url, url }));
  const links: TestLink[] = [];
  let url: string | undefined;
  let words = '';
  const parser = new Parser({
    onopentag(name, { href, alt }) {
      if (name === 'a' && href !== undefined) [url, words] = [href.trim(), ''];
      if (name === 'img' && alt !== undefined) words += ` ${alt} `;
    },
    ontext(part) {
      words += part;
    },
    onclosetag(name) {
      if (name !== 'a' || url === undefined) return;
      links.push({ text: words.replace(/\s+/g, ' ').trim(), url });
      url = undefined;
    },
  });
  parser.end(html);
  return links;
}
