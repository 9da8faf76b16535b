import { createHash } from 'node:crypto';
import { simpleParser } from 'mailparser';

/** A mail as its reader sees it. */
export interface ReadableMail {
  readonly to: string;
  readonly subject: string;
  readonly html: string;
  readonly text: string;
  readonly messageId: string;
  /** SHA-256 of each attachment, by file name. */
  readonly attachments: ReadonlyMap<string, string>;
  /** Addresses of all links, in order. */
  readonly links: readonly string[];
  /** Address of the picture that nobody sees. */
  readonly pixel: string | undefined;
  /** Where one click unsubscribes (RFC 8058). */
  readonly oneClick: string | undefined;
}

/** Reads a mail as a mail program does. */
export async function readMail(raw: Buffer): Promise<ReadableMail> {
  const mail = await simpleParser(raw, { skipTextToHtml: true, skipTextLinks: true });
  const html = mail.html || '';
  const to = Array.isArray(mail.to) ? mail.to[0] : mail.to;
  const header = (name: string) => mail.headerLines.find(({ key }) => key === name)?.line ?? '';
  const oneClick = /^list-unsubscribe-post:\s*List-Unsubscribe=One-Click\s*$/i.test(header('list-unsubscribe-post'))
    ? /<(https?:[^>]+)>/.exec(header('list-unsubscribe').replace(/\s+/g, ''))?.[1]
    : undefined;
  return {
    to: to?.value[0]?.address ?? '',
    subject: mail.subject ?? '',
    html,
    text: mail.text ?? '',
    messageId: mail.messageId ?? '',
    attachments: new Map(mail.attachments.map(({ filename, content }) => [filename ?? '', sha256(content)])),
    links: linksOf(html),
    pixel: [...html.matchAll(/<img\b[^>]*?\ssrc="([^"]*\/mail\/o\/[^"]*)"/g)].map(([, src]) => plain(src ?? ''))[0],
    oneClick,
  };
}

/** Addresses of the links of a page, in order. */
export function linksOf(html: string): string[] {
  return [...html.matchAll(/<a\b[^>]*?\shref="([^"]*)"/g)].map(([, href]) => plain(href ?? ''));
}

/** SHA-256 in hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function plain(attribute: string): string {
  return attribute
    .replace(/&#x([0-9a-f]+);/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
