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
  const whole = decoded(text);
  const json = whole === undefined ? undefined : parsed(whole.replace(/=$/, ''));
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

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replace(/\+/g, ' '));
  } catch {
    return undefined;
  }
}
