/** Reads what providers send, whose fields are missing, are numbers as text, or lists of one. */

/** An object with any fields. */
export type Fields = Readonly<Record<string, unknown>>;

/** An object; also one that stands in a text as JSON. */
export function fieldsOf(value: unknown): Fields | undefined {
  if (typeof value === 'string' && value.trimStart().startsWith('{')) return fieldsOf(parsed(value));
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** A field of an object, by a path of names; lists are looked into at their first item. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const name of path) {
    const fields = fieldsOf(Array.isArray(here) ? here[0] : here);
    if (fields === undefined || !Object.hasOwn(fields, name)) return undefined;
    here = fields[name];
  }
  return here;
}

/** The first of some fields that is text. */
export function firstText(fields: unknown, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const text = textOf(at(fields, name));
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Text that is not empty; of a list the first item. */
export function textOf(value: unknown): string | undefined {
  const one = Array.isArray(value) ? value[0] : value;
  if (typeof one === 'number' && Number.isFinite(one)) return String(one);
  if (typeof one !== 'string') return undefined;
  const text = one.trim();
  return text === '' ? undefined : text;
}

/** A number, also one as text. */
export function numberOf(value: unknown): number | undefined {
  const text = textOf(value);
  if (text === undefined || !/^[+-]?\d{1,20}(?:\.\d{1,20})?$/.test(text)) return undefined;
  return Number(text);
}

/** Whether something is said to be so, in any spelling. */
export function isSet(value: unknown): boolean {
  return value === true || value === 1 || /^(?:true|1|yes)$/i.test(textOf(value) ?? '');
}

/** A list; of something single a list of one, of nothing an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** JSON of a text or of bytes; undefined for what is none. */
export function parsed(json: string | Uint8Array): unknown {
  try {
    const text = typeof json === 'string' ? json : Buffer.from(json).toString('utf8');
    // A byte order mark is no JSON (RFC 8259 section 8.1), and some send one.
    return JSON.parse(text.replace(/^\ufeff/, '')) as unknown;
  } catch {
    return undefined;
  }
}

/** A Message-ID or another id, without its angle brackets. */
export function bareId(value: unknown): string | undefined {
  return textOf(value)?.replace(/^<|>$/g, '').slice(0, 998);
}

/** A mail address alone, also where a name stands before it. */
export function addressOf(value: unknown): string | undefined {
  const text = textOf(value);
  if (text === undefined || !text.includes('@')) return undefined;
  const inside = /<([^<>\s]+@[^<>\s]+)>\s*$/.exec(text)?.[1] ?? text;
  return inside.slice(0, 320);
}
