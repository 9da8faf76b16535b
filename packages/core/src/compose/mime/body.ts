const LINE = 76;
/** RFC 5322 section 2.1.1, without the CRLF. */
const MAX_LINE = 998;

/** A body with CRLF line ends as SMTP wants them, whatever it came with. */
export function withCrlf(body: string): string {
  return hasCrlf(body) ? body : body.replace(/\r\n|\r|\n/g, '\r\n');
}

/** Searches for line ends; a pattern or a loop over characters takes several times as long. */
function hasCrlf(text: string): boolean {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    if (text.charCodeAt(at - 1) !== 13) return false;
    lines += 1;
  }
  let returns = 0;
  for (let at = text.indexOf('\r'); at >= 0; at = text.indexOf('\r', at + 1)) returns += 1;
  return lines === returns;
}

function hasShortLines(text: string): boolean {
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
    if (end - start > MAX_LINE) return false;
    start = end + 1;
  }
  return text.length - start <= MAX_LINE;
}

/** Base64 in lines (RFC 2045 section 6.8). */
export function base64Lines(bytes: Buffer): string {
  const encoded = bytes.toString('base64');
  const lines: string[] = [];
  for (let at = 0; at < encoded.length; at += LINE) lines.push(encoded.slice(at, at + LINE));
  return lines.join('\r\n');
}

/** What is known of a body before it is encoded. */
export interface BodyContext {
  /** The line ends are known to be CRLF. */
  readonly crlf?: boolean | undefined;
  /** What stands between the parts: a body with the same text could end its part. */
  readonly boundary: string;
}

/** The rest of a part after its `Content-Type`: ASCII with short lines goes as it is, anything else as base64. */
export function encodeBody(body: string, { crlf, boundary }: BodyContext): string {
  const text = crlf === true ? body : withCrlf(body);
  const plain = isSevenBit(text) && !text.includes(boundary);
  if (plain) return `Content-Transfer-Encoding: 7bit\r\n\r\n${text}`;
  return `Content-Transfer-Encoding: base64\r\n\r\n${base64Lines(Buffer.from(text))}`;
}

/** ASCII in short lines, without NUL (RFC 2045 section 2.7). The line ends have to be CRLF. */
function isSevenBit(text: string): boolean {
  return Buffer.byteLength(text) === text.length && isEightBit(text);
}

/** The same with bytes over 127 (RFC 2045 section 2.8), one character for each byte. */
export function isEightBit(text: string): boolean {
  return !text.includes('\0') && hasShortLines(text);
}
