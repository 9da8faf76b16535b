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
  if (!text.includes('=')) return undefined;
  const fields = fromPairs(new URLSearchParams(text));
  const [single, ...more] = Object.values(fields);
  const inside = more.length === 0 && typeof single === 'string' ? parsed(single) : undefined;
  return typeof inside === 'object' && inside !== null ? inside : fields;
}

async function multipart(body: Uint8Array, type: string): Promise<unknown> {
  try {
    const form = await new Response(Uint8Array.from(body), { headers: { 'content-type': type } }).formData();
    // Files, such as the mail that bounced, are of no use here.
    return fromPairs([...form].filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
  } catch {
    return undefined;
  }
}

/** So often may a name stand in a form. */
const MOST_OF_A_NAME = 1000;

function fromPairs(pairs: Iterable<readonly [string, string]>): Fields {
  // A name such as `__proto__` is a field like any other.
  const fields = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of pairs) {
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (typeof before === 'string') fields[name] = [before, value];
    else if (before.length < MOST_OF_A_NAME) before.push(value);
  }
  return fields;
}

/** A `+` is a space, as in forms, unless spaces are written as `%20`: then it is a plus, as in `ada+news@example.com`. */
function decoded(text: string): string {
  const spaced = text.includes('%20') ? text : text.replace(/\+/g, ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return new TextDecoder('windows-1252').decode(unescaped(spaced));
  }
}

function unescaped(text: string): Uint8Array {
  const bytes = Buffer.from(text).toString('latin1');
  const plain = bytes.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(plain, 'latin1');
}
