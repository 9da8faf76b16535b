/**
 * A small reader of mails (RFC 5322, RFC 2045, RFC 2046) that takes anything: bounces come truncated, nested, with wrong
 * boundaries and any line ends. It reads a bounded part of them, in bounded depth, and never throws.
 */
import { decodeCharset, decodeTransfer, decodeWords, textOfHtml } from './decode.ts';

/** A header section: values by lower-case name, in order, unfolded, one character per byte. */
export type Headers = ReadonlyMap<string, readonly string[]>;

/** One part of a mail. */
export interface Part {
  readonly headers: Headers;
  /** Lower-case media type. */
  readonly type: string;
  /** Body as it stands, lines ending with LF, one character per byte. */
  readonly body: string;
  readonly parts: readonly Part[];
}

/** Bytes of a mail that are read: the report stands before the returned mail. */
const MAX_BYTES = 2_097_152;
const MAX_DEPTH = 8;
const MAX_PARTS = 100;
const MAX_HEADER = 65_536;
const MAX_FIELDS = 1000;

/** Reads a mail. */
export function readMail(raw: Uint8Array): Part {
  const text = Buffer.from(raw.buffer, raw.byteOffset, Math.min(raw.byteLength, MAX_BYTES)).toString('latin1');
  const lines = text.replace(/\r\n?/g, '\n').replace(/^\n+/, '');
  // Mailboxes put a line of their own before a mail.
  const own = lines.replace(/^>?From [^\n]{0,500}\n/, '');
  return readPart(own, { left: MAX_PARTS }, 0, 'text/plain');
}

function readPart(text: string, count: { left: number }, depth: number, fallback: string): Part {
  const { headers, body } = splitHead(text);
  const contentType = first(headers, 'content-type');
  const type = /^\s*([\w.+-]+\/[\w.+-]+)/.exec(contentType ?? '')?.[1]?.toLowerCase() ?? fallback;
  const part = { headers, type, body };
  if (depth >= MAX_DEPTH) return { ...part, parts: [] };
  if (type.startsWith('multipart/')) {
    const boundary = parameter(contentType, 'boundary');
    const inner = type === 'multipart/digest' ? 'message/rfc822' : 'text/plain';
    const pieces = boundary === undefined ? [] : splitBody(body, boundary, count);
    // Where somebody took the boundaries out, what is left is text.
    if (pieces.length === 0) return { ...part, type: 'text/plain', parts: [] };
    return { ...part, parts: pieces.map((piece) => readPart(piece, count, depth + 1, inner)) };
  }
  if (type === 'message/rfc822' || type === 'message/global') {
    const inner = decodeTransfer(body, encodingOf(headers)).replace(/^\n+/, '');
    return { ...part, parts: count.left-- > 0 ? [readPart(inner, count, depth + 1, 'text/plain')] : [] };
  }
  return { ...part, parts: [] };
}

function splitHead(text: string): { readonly headers: Headers; readonly body: string } {
  if (text.startsWith('\n')) return { headers: new Map(), body: text.slice(1) };
  const found = text.indexOf('\n\n');
  const end = found < 0 ? text.length : found;
  return { headers: readHeaders(text.slice(0, end)), body: text.slice(end + 2) };
}

/** Reads fields; lines that are none are left out. */
export function readHeaders(text: string): Headers {
  const headers = new Map<string, string[]>();
  let left = MAX_FIELDS;
  for (const line of text
    .slice(0, MAX_HEADER)
    .replace(/\n[ \t]+/g, ' ')
    // Some do not indent the parameters that follow.
    .replace(/;\n(?=[a-z]{1,20}=)/gi, '; ')
    .split('\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    if (colon < 1 || !/^[\x21-\x39\x3b-\x7e]+$/.test(name)) continue;
    if (left-- === 0) break;
    const values = headers.get(name);
    const value = line.slice(colon + 1).trim();
    if (values === undefined) headers.set(name, [value]);
    else values.push(value);
  }
  return headers;
}

/** Pieces between lines of a boundary; a mail that was cut off ends with its last piece. */
function splitBody(body: string, boundary: string, count: { left: number }): string[] {
  const pieces: string[] = [];
  const marker = `--${boundary}`;
  let start = -1;
  let at = body.startsWith(marker) ? 0 : body.indexOf(`\n${marker}`) + 1;
  if (at === 0 && !body.startsWith(marker)) return [];
  for (;;) {
    if (start >= 0) {
      if (count.left-- <= 0) return pieces;
      pieces.push(body.slice(start, Math.max(start, at - 1)));
    }
    const lineEnd = body.indexOf('\n', at);
    const rest = body.slice(at + marker.length, lineEnd < 0 ? body.length : lineEnd);
    if (rest.startsWith('--') || lineEnd < 0) return pieces;
    start = lineEnd + 1;
    const next = body.indexOf(`\n${marker}`, lineEnd);
    if (next < 0) {
      pieces.push(body.slice(start));
      return pieces;
    }
    at = next + 1;
  }
}

/** The first value of a field. */
export function first(headers: Headers, name: string): string | undefined {
  return headers.get(name)?.[0];
}

/** A field as people read it; empty where there is none. */
export function shown(headers: Headers, name: string): string {
  return decodeWords(first(headers, name) ?? '');
}

/** A parameter of a field such as Content-Type. */
function parameter(value: string | undefined, name: string): string | undefined {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;]+))`, 'i').exec(value ?? '');
  return found?.[1]?.replace(/\\(.)/g, '$1') ?? found?.[2];
}

/** What a part says as text, whatever its encoding and charset; HTML without its marks. */
export function textOf(part: Part): string {
  const contentType = first(part.headers, 'content-type');
  const bytes = decodeTransfer(part.body, encodingOf(part.headers));
  const text = decodeCharset(bytes, parameter(contentType, 'charset'));
  return part.type === 'text/html' || /^\s*(?:<!doctype html|<html)/i.test(text) ? textOfHtml(text) : text;
}

function encodingOf(headers: Headers): string {
  return first(headers, 'content-transfer-encoding')?.trim() ?? '';
}
