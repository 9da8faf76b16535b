import type { HookRequest } from './provider.ts';
import { type Fields, parsed } from './values.ts';

/** The fields of a body, as JSON or as a form, urlencoded or multipart (RFC 7578); undefined for what is neither. */
export async function fieldsOfBody(request: HookRequest): Promise<unknown> {
  const type = request.header('content-type') ?? '';
  const json = parsed(request.body);
  if (json !== undefined) return json;
  if (/^multipart\/form-data\b/i.test(type) && Buffer.from(request.body).subarray(0, 2).toString() === '--')
    return multipart(request.body, type);
  return urlencoded(request.body);
}

/** A form, or undefined; JSON that is urlencoded as a whole, or in a single field, is taken out of it. */
function urlencoded(body: Uint8Array): unknown {
  const text = Buffer.from(body).toString('utf8');
  if (text.trim() === '') return undefined;
  const json = parsed(text.replace(/=\s*$/, '')) ?? parsed(decoded(text).replace(/=\s*$/, ''));
  if (typeof json === 'object' && json !== null) return json;
  if (!text.includes('=') || isOver(text, '&')) return undefined;
  const fields = fromPairs(new URLSearchParams(withSpaces(text, '%20')));
  const [single, ...more] = Object.values(fields);
  const inside = more.length === 0 && typeof single === 'string' ? parsed(single) : undefined;
  return typeof inside === 'object' && inside !== null ? inside : fields;
}

async function multipart(body: Uint8Array, type: string): Promise<unknown> {
  if (isOver(Buffer.from(body).toString('latin1'), '\n--')) return undefined;
  try {
    const form = await new Response(Uint8Array.from(body), { headers: { 'content-type': type } }).formData();
    // Files, such as the mail that bounced, are of no use here.
    return fromPairs([...form].filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
  } catch {
    return undefined;
  }
}

/** Fields that a form may have; each costs. */
const MOST_FIELDS = 2000;

/** Whether a mark stands in a text more often than between the fields of a form. */
function isOver(text: string, mark: string): boolean {
  let count = 0;
  for (let at = text.indexOf(mark); at >= 0 && count <= MOST_FIELDS; at = text.indexOf(mark, at + mark.length))
    count += 1;
  return count > MOST_FIELDS;
}

function fromPairs(pairs: Iterable<readonly [string, string]>): Fields {
  // A name such as `__proto__` is a field like any other.
  const fields = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of pairs) {
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (typeof before === 'string') fields[name] = [before, value];
    else before.push(value);
  }
  return fields;
}

/** A `+` is a space, as in forms, unless spaces are written as `%20`: then it is a plus, as in `ada+news@example.com`. */
function decoded(text: string): string {
  const spaced = text.includes('%20') ? text : withSpaces(text, ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return new TextDecoder('windows-1252').decode(unescaped(spaced));
  }
}

/** Cut and joined again: where there are millions, replacing takes ten times as long. */
function withSpaces(text: string, space: string): string {
  return text.split('+').join(space);
}

/** What stands for bytes (RFC 3986 section 2.1), without looking what they spell. */
function unescaped(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  let end = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const digits = bytes[at] === PERCENT ? bytes.toString('latin1', at + 1, at + 3) : '';
    const isCode = /^[0-9a-f]{2}$/i.test(digits);
    bytes[end] = isCode ? Number.parseInt(digits, 16) : (bytes[at] as number);
    if (isCode) at += 2;
    end += 1;
  }
  return bytes.subarray(0, end);
}

const PERCENT = 0x25;
