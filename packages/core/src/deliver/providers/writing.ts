/** How what is said of a mail is written, so that a provider reads it. In a value, a line feed stands where a line may end. */
import type { HeaderField } from '../../message.ts';

/** Lines stay below this where they can: SendGrid asks for 72 characters. */
const LINE = 72;

/**
 * JSON in ASCII that may be folded between its parts. Texts have no space, so that whoever folds or unfolds the header again
 * cannot change one.
 */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/"(?:[^"\\]|\\.)*"|[,:]/g, (part) =>
    part.length > 1 ? part.replace(/[^!-~]/g, escaped) : `${part}\n`,
  );
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A name without the characters that a provider does not take: accents are left off, and for others stands `_`. */
export function plainName(name: string, others: RegExp): string {
  const plain = name
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .replace(others, '_');
  return plain.trim() === '' ? '_' : plain;
}

/** Tags as a provider takes them; those that are equal then are one. */
export function plainTags(tags: readonly string[], plain: (tag: string) => string): string[] {
  return [...new Set(tags.map(plain))];
}

/** A value as whoever reads the header gets it. */
export function unfolded(value: string): string {
  return value.replaceAll('\n', ' ');
}

/** Header fields with their line ends, folded (RFC 5322 section 2.2.3). */
export function written(fields: readonly HeaderField[]): string {
  return fields.map(([name, value]) => `${folded(`${name}: `, value)}\r\n`).join('');
}

function folded(start: string, value: string): string {
  const [first = '', ...parts] = value.split('\n');
  let out = start + first;
  let line = out.length;
  for (const part of parts) {
    const fits = line + 1 + part.length <= LINE;
    out += fits ? ` ${part}` : `\r\n ${part}`;
    line = (fits ? line : 0) + 1 + part.length;
  }
  return out;
}
