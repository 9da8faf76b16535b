/** How large a mail will be, before it is composed. */
import type { Content } from '../message.ts';
import { isPlain } from './mime/skeleton.ts';
import type { RawParts } from './raw.ts';

/** Bytes that one byte can become: base64 with line ends, and quoted-printable with soft line breaks. */
const BASE64 = 1.37;
const QUOTED = 3.2;
/** Headers and boundaries of one part. */
const PART_BYTES = 2000;
/** A tracked link around its target and after the address of the relay: kind, number, signatures, and what a route marks it with. */
const LINK_BYTES = 150;
/** The target inside of a tracked link, which stands there in base64. */
const TRACKED = 1 + 4 / 3;

/** What all mails of a content share, measured once. */
interface Shared {
  readonly bytes: number;
  /** What a byte of a body becomes at most. */
  readonly growth: number;
  /** What tracking adds to a link beside its target and the address of the relay. */
  readonly linkBytes: number;
  /** The last bodies that were looked at. */
  bodies: { readonly html: string; readonly text: string; readonly bytes: number };
}

const measured = new WeakMap<Content, Shared>();

/**
 * The most bytes that a mail can have, at the cost of a look at its bodies: never less than it will have.
 *
 * @param parts - as they are without tracking
 */
export function mostBytes(content: Content, { subject, html = '', text = '' }: RawParts, linkBase: string): number {
  const shared = measured.get(content) ?? measure(content);
  measured.set(content, shared);
  // Where all recipients have the same bodies they are looked at once.
  const same = shared.bodies.html === html && shared.bodies.text === text;
  if (!same) shared.bodies = { html, text, bytes: trackedBytes(html, text, linkBase.length + shared.linkBytes) };
  return shared.bytes + QUOTED * Buffer.byteLength(subject) + shared.growth * shared.bodies.bytes;
}

/** Bytes that a character of a mail becomes at most: as a link that is tracked, in an encoding, in the shortest address. */
const PER_CHARACTER = 200;
/** Headers and boundaries that every mail has. */
const PER_MAIL = 100_000;

/** Whether a mail is so small that nothing need be measured, as most are. */
export function isSmall(content: Content, { subject, html = '', text = '' }: RawParts, maxBytes: number): boolean {
  const { headers, to, cc, references, attachments, alternatives, tracking } = content;
  if (tracking.utm !== undefined) return false;
  let length = subject.length + html.length + text.length + (to.length + cc.length + references.length) * 1000;
  for (const [name, value] of headers) length += name.length + value.length;
  for (const { bytes } of attachments) length += bytes;
  for (const { bytes } of alternatives) length += bytes;
  return length * PER_CHARACTER + PER_MAIL < maxBytes;
}

/** As if everything were tracked: a recipient may switch it on. One link more for the pixel. */
function trackedBytes(html: string, text: string, linkBytes: number): number {
  const links = 1 + countLinks(html) + countLinks(text);
  return (Buffer.byteLength(html) + Buffer.byteLength(text)) * TRACKED + links * linkBytes;
}

/** Stand-ins for what goes with a mail: as many bytes, of the kind that grows most. */
export function standIns(content: Content): { get(kind: string, hash: string): Promise<Buffer | undefined> } {
  const sizes = new Map([...content.attachments, ...content.alternatives].map(({ hash, bytes }) => [hash, bytes]));
  return { get: async (_, hash) => Buffer.alloc(sizes.get(hash) ?? 0) };
}

function measure(content: Content): Shared {
  const { html: _, text: __, data: ___, ...headers } = content;
  const attached = content.attachments.reduce(
    (sum, { bytes, contentTransferEncoding }) =>
      sum + PART_BYTES + bytes * (contentTransferEncoding === 'quoted-printable' ? QUOTED : BASE64),
    0,
  );
  // A calendar is an alternative and an attachment.
  const others = content.alternatives.reduce(
    (sum, { bytes, method }) => sum + PART_BYTES + bytes * (method === undefined ? QUOTED : QUOTED + BASE64),
    0,
  );
  return {
    bytes: PART_BYTES + QUOTED * Buffer.byteLength(JSON.stringify(headers)) + attached + others,
    growth: isPlain(content) ? BASE64 : QUOTED,
    linkBytes: LINK_BYTES + 4 * JSON.stringify(content.tracking.utm ?? '').length,
    bodies: { html: '', text: '', bytes: 0 },
  };
}

function countLinks(body: string): number {
  let count = 0;
  for (let at = body.indexOf('://'); at >= 0; at = body.indexOf('://', at + 3)) count += 1;
  return count;
}
