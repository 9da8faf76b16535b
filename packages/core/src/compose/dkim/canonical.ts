/** The relaxed forms of header and body (RFC 6376 section 3.4), which survive what relays do to white space. */
import { createHash } from 'node:crypto';

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
  const compact = isCompact(body) ? body : compacted(body);
  let end = compact.length;
  while (end >= 2 && compact[end - 2] === CR && compact[end - 1] === LF) end -= 2;
  const hash = createHash('sha256').update(compact.subarray(0, end));
  // A body has one line end after its last line, and an empty one has none.
  if (end > 0) hash.update(CRLF);
  return hash.digest('base64');
}

/** Whether nothing but the end of a body could change, as with base64. Searching takes a tenth of the time of copying. */
function isCompact(body: Buffer): boolean {
  return !body.includes(TAB) && !body.includes('  ') && !body.includes(' \r\n') && body.at(-1) !== SPACE;
}

/** Runs of white space become one space, and nothing at the end of a line. */
function compacted(body: Buffer): Buffer {
  const out = Buffer.allocUnsafe(body.length);
  let length = 0;
  let space = false;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] as number;
    if (byte === SPACE || byte === TAB) {
      space = true;
      continue;
    }
    if (space && !(byte === CR && body[at + 1] === LF)) out[length++] = SPACE;
    space = false;
    out[length++] = byte;
  }
  return out.subarray(0, length);
}
