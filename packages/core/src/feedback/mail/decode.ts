/** Bytes of a mail, held as text with one character per byte, into what they say. */

/** Longest text that is decoded: what is said about a mail stands at its start. */
const MAX_TEXT = 262_144;

/** Undoes a Content-Transfer-Encoding (RFC 2045 section 6); what is no such encoding stays as it is. */
export function decodeTransfer(body: string, encoding: string): string {
  const bytes = body.slice(0, 2 * MAX_TEXT);
  if (/^base64$/i.test(encoding)) return Buffer.from(bytes, 'base64').toString('latin1').replace(/\r\n?/g, '\n');
  if (/^quoted-printable$/i.test(encoding)) return decodeQuoted(bytes.replace(/=[ \t]*\n/g, ''));
  return bytes;
}

function decodeQuoted(text: string): string {
  return text.replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Bytes in a charset as text. Without a charset, or with one that nobody knows: UTF-8 where it is that, else Windows-1252. */
export function decodeCharset(bytes: string, charset: string | undefined): string {
  const buffer = Buffer.from(bytes.slice(0, MAX_TEXT), 'latin1');
  const named = charset?.trim().toLowerCase();
  // ISO-2022-JP is seven-bit: without its name it is known by its escapes.
  const guessed = bytes.includes('\u001b$B') || bytes.includes('\u001b$@') ? 'iso-2022-jp' : undefined;
  for (const label of [guessed, named === 'us-ascii' || named === 'ascii' ? undefined : named, 'utf-8']) {
    if (label === undefined || label === '') continue;
    try {
      return new TextDecoder(label, { fatal: label === 'utf-8' }).decode(buffer);
    } catch {
      // The next one.
    }
  }
  return new TextDecoder('windows-1252').decode(buffer);
}

/** Encoded words of a header (RFC 2047) as text, and raw bytes as UTF-8 where they are that. */
export function decodeWords(value: string): string {
  const words = value.slice(0, 10_000).replace(/(=\?[^?\s]{1,40}\?[bq]\?[^?\s]*\?=)\s+(?==\?)/gi, '$1');
  const decoded = words.replace(
    /=\?([^?\s*]{1,40})(?:\*[^?\s]{0,20})?\?([bq])\?([^?]*)\?=/gi,
    (_, charset: string, encoding: string, text: string) => {
      const bytes =
        encoding.toLowerCase() === 'b'
          ? Buffer.from(text, 'base64').toString('latin1')
          : decodeQuoted(text.replaceAll('_', ' '));
      return decodeCharset(bytes, charset);
    },
  );
  return /[\x80-\xff]/.test(decoded) && !/[\u0100-\uffff]/.test(decoded) ? decodeCharset(decoded, undefined) : decoded;
}

/** Text of HTML, roughly: what is said, line by line. */
export function textOfHtml(html: string): string {
  return html
    .slice(0, MAX_TEXT)
    .replace(/<(style|script|title)\b[^>]{0,500}>[^<]*<\/\1>/gi, ' ')
    .replace(/<(?:br|\/p|\/div|\/tr|\/li|\/h\d|\/pre|p|div|tr|li)\b[^<>]{0,2000}>/gi, '\n')
    .replace(/<\/?t[dh]\b[^<>]{0,2000}>/gi, ' ')
    .replace(/<[^<>@]{1,2000}>/g, '')
    .replace(/<a\b[^<>]{0,2000}>|<\/a>/gi, '')
    .replace(/&(lt|gt|amp|quot|nbsp|#\d{1,6}|#x[0-9a-f]{1,5});/gi, (_, name: string) => entity(name.toLowerCase()));
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', nbsp: ' ' };

function entity(name: string): string {
  if (!name.startsWith('#')) return ENTITIES[name] ?? ' ';
  const code = name[1] === 'x' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return code > 0 && code < 0x110000 ? String.fromCodePoint(code) : ' ';
}
