/** The bytes of attachments, from wherever they are. */
import { open, realpath } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { isMailRelayError, MailRelayError } from '../errors.ts';
import type { AttachmentInput } from './input.ts';

/** Where attachments may come from, and how many bytes are left for them. */
export interface Sources {
  readonly paths: readonly string[];
  readonly hosts: readonly string[];
  readonly maxBytes: number;
}

/** @throws MailRelayError `ATTACHMENT_INVALID`, `ATTACHMENT_NOT_ALLOWED`, `MESSAGE_TOO_LARGE` */
export async function bytesOf(input: AttachmentInput, index: number, sources: Sources): Promise<Buffer> {
  const { content, path, href } = input;
  if ([content, path, href].filter((source) => source !== undefined).length !== 1)
    throw invalid(index, 'give exactly one of content, path and href');
  if (path !== undefined) return fromPath(path, index, sources);
  if (href !== undefined) return fromHref(href, index, sources);
  if (content instanceof Readable) {
    // It would be empty without a word.
    if (content.readableEnded) throw invalid(index, 'its stream was read before');
    return collect(content, index, sources);
  }
  return bounded(decoded(content as string | Uint8Array, input.encoding, index), sources);
}

/** What `Buffer.from()` would read only in part. */
const WRITTEN_WRONG: Partial<Readonly<Record<BufferEncoding, (text: string) => boolean>>> = {
  hex: (text) => !/^(?:[\da-f]{2})*$/i.test(text),
  base64: (text) => !/^[\w+/-]*={0,2}$/.test(text) || text.replace(/=+$/, '').length % 4 === 1,
};

/** Content that is at hand. @throws MailRelayError `ATTACHMENT_INVALID` */
export function decoded(content: string | Uint8Array, encoding: BufferEncoding = 'utf8', index = 0): Buffer {
  if (typeof content !== 'string') return Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const isWrong = WRITTEN_WRONG[encoding];
  if (isWrong?.(content.replace(/\s+/g, '')) === true)
    throw invalid(index, `its content is not written in ${encoding}`);
  return Buffer.from(content, encoding);
}

export function invalid(index: number, reason: string, cause?: unknown): MailRelayError {
  return new MailRelayError('ATTACHMENT_INVALID', { index, reason: `attachment ${index}: ${reason}` }, { cause });
}

export function bounded(bytes: Buffer, { maxBytes }: Pick<Sources, 'maxBytes'>): Buffer {
  if (bytes.length > maxBytes) throw tooLarge();
  return bytes;
}

function tooLarge(): MailRelayError {
  return new MailRelayError('MESSAGE_TOO_LARGE', { reason: 'its attachments alone are larger' });
}

async function collect(
  stream: AsyncIterable<Uint8Array | string>,
  index: number,
  { maxBytes }: Sources,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      const buffer = Buffer.from(chunk as Uint8Array);
      bytes += buffer.length;
      if (bytes > maxBytes) throw tooLarge();
      chunks.push(buffer);
    }
  } catch (error) {
    throw isMailRelayError(error) ? error : invalid(index, 'its stream failed', error);
  }
  return Buffer.concat(chunks);
}

async function fromPath(path: string, index: number, sources: Sources): Promise<Buffer> {
  const refused = (): MailRelayError =>
    new MailRelayError('ATTACHMENT_NOT_ALLOWED', {
      index,
      reason: `attachment ${index} has a path that is not below a folder of the option \`attachments.paths\``,
    });
  const folders = await Promise.all(sources.paths.map((folder) => realpath(folder).catch(() => resolve(folder))));
  const inside = (file: string): boolean =>
    folders.some((folder) => file.startsWith(folder.endsWith(sep) ? folder : folder + sep));
  const file = await realpath(path).catch((error: unknown) => {
    // Whether a file exists outside of the allow-list is nobody's business.
    throw inside(resolve(path)) ? invalid(index, 'its file cannot be read', error) : refused();
  });
  if (!inside(file)) throw refused();
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw invalid(index, 'its file cannot be read', error);
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw invalid(index, 'its path is no file');
    if (stats.size > sources.maxBytes) throw tooLarge();
    return bounded(await handle.readFile(), sources);
  } finally {
    await handle.close();
  }
}

async function fromHref(href: string, index: number, sources: Sources): Promise<Buffer> {
  const url = URL.canParse(href) ? new URL(href) : undefined;
  if (url?.protocol !== 'https:' || !sources.hosts.includes(url.host)) {
    throw new MailRelayError('ATTACHMENT_NOT_ALLOWED', {
      index,
      reason: `attachment ${index} has an href that is not https on a host of the option \`attachments.hosts\``,
    });
  }
  // Redirects could lead anywhere, so none is followed.
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(30_000) }).catch(
    (error: unknown) => {
      throw invalid(index, 'its href did not answer', error);
    },
  );
  if (!response.ok || response.body === null) throw invalid(index, `its href answered ${response.status}`);
  return collect(response.body, index, sources);
}
