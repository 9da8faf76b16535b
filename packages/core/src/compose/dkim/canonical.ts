/** The relaxed forms of header and body (RFC 6376 section 3.4), which survive what relays do to white space. */
import { createHash, hash } from 'node:crypto';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
/** What a value has where its relaxed form is another, beside one space at its beginning. */
const UNEVEN = /[\t\r\n]| {2}| $/;
const CRLF = Buffer.from('\r\n');

/** A header field in its relaxed form, without the line end (section 3.4.2). One character for each byte. */
export function relaxedField(field: string): string {
  const colon = field.indexOf(':');
  const name = field.slice(0, colon).replace(/[ \t]+$/, '');
  return `${name.toLowerCase()}:${relaxedValue(field.slice(colon + 1))}`;
}

function relaxedValue(value: string): string {
  // Most fields stand on one line, with nothing to change.
  if (!UNEVEN.test(value)) return value.startsWith(' ') ? value.slice(1) : value;
  return value
    .replaceAll('\r\n', '')
    .replace(/[ \t]+/g, ' ')
    .replace(/^ | $/g, '');
}

/** SHA-256 of a body in its relaxed form, as `bh=` has it (sections 3.4.4 and 3.7). Line ends have to be CRLF. */
export function bodyHash(body: Buffer): string {
  // Base64 has neither, and looking for them takes no time.
  const relaxed = body.includes(SPACE) || body.includes(TAB) ? compacted(body) : body;
  let end = relaxed.length;
  while (end >= 2 && relaxed[end - 2] === CR && relaxed[end - 1] === LF) end -= 2;
  // A body has one line end after its last line, and an empty one has none.
  if (end === 0) return hash('sha256', '', 'base64');
  if (end + 2 <= relaxed.length) return hash('sha256', relaxed.subarray(0, end + 2), 'base64');
  return createHash('sha256').update(relaxed).update(CRLF).digest('base64');
}

/** Room for one body after the other: memory outside of V8's heap that is garbage at once makes it collect more often. */
let room = Buffer.alloc(0);
const MOST_KEPT_BYTES = 1 << 20;

function roomFor(bytes: number): Buffer {
  if (bytes > MOST_KEPT_BYTES) return Buffer.allocUnsafeSlow(bytes);
  if (room.length < bytes) room = Buffer.allocUnsafeSlow(Math.min(MOST_KEPT_BYTES, 2 * bytes));
  return room;
}

/** Runs of white space become one space, and nothing at the end of a line. What is answered is there until the next call. */
function compacted(body: Buffer): Buffer {
  const out = roomFor(body.length);
  let length = 0;
  let at = 0;
  while (at < body.length) {
    const byte = body[at++] as number;
    if (byte !== SPACE && byte !== TAB) {
      out[length++] = byte;
      continue;
    }
    while (body[at] === SPACE || body[at] === TAB) at += 1;
    const endsLine = at === body.length || (body[at] === CR && body[at + 1] === LF);
    if (!endsLine) out[length++] = SPACE;
  }
  return out.subarray(0, length);
}
