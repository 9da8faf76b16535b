/** Macros of SPF (RFC 7208 section 7). */
import { isIPv4 } from 'node:net';

/** What macros stand for. */
export interface MacroContext {
  /** Domain of the record that has the macro. */
  readonly domain: string;
  /** Domain of the envelope sender. */
  readonly sender: string;
  /** Where the mail comes from; undefined where a name is asked for that all addresses share. */
  readonly address: string | undefined;
}

const MACRO = /%(?:([%_-])|\{([a-z])(\d*)(r?)([.\-+,/_=]*)\}|)/gi;
/** Letters that can be known beforehand. */
const LETTERS = 'doiv';

/** Whether a text has macros, or what looks like one. */
export function hasMacros(text: string): boolean {
  return text.includes('%');
}

/** What is wrong with the macros of a text, in words; undefined where they can be read (section 7.1). */
export function macroProblem(text: string): string | undefined {
  for (const [whole, sign, letter] of text.matchAll(MACRO)) {
    if (sign !== undefined) continue;
    if (letter === undefined) return `${text} has a % that begins no macro`;
    if (!'slodiphv'.includes(letter.toLowerCase())) return `${whole} is no macro`;
  }
  return undefined;
}

/**
 * A text with its macros expanded (section 7.3); undefined where it needs what is not known: the address, the local part of
 * the sender, the name in EHLO.
 */
export function expand(text: string, context: MacroContext): string | undefined {
  let known = true;
  const expanded = text.replace(
    MACRO,
    (_, sign: string | undefined, letter: string | undefined, digits: string, reverse: string, marks: string) => {
      if (sign !== undefined) return sign === '%' ? '%' : sign === '_' ? ' ' : '%20';
      const value = letter === undefined ? undefined : letterOf(letter.toLowerCase(), context);
      if (value === undefined) {
        known = false;
        return '';
      }
      return transformed(value, { digits, reverse: reverse !== '', marks });
    },
  );
  return known ? expanded.toLowerCase() : undefined;
}

function letterOf(letter: string, { domain, sender, address }: MacroContext): string | undefined {
  if (!LETTERS.includes(letter)) return undefined;
  if (letter === 'd') return domain;
  if (letter === 'o') return sender;
  if (address === undefined) return undefined;
  if (letter === 'v') return isIPv4(address) ? 'in-addr' : 'ip6';
  return isIPv4(address) ? address : nibbles(address);
}

function transformed(value: string, how: { digits: string; reverse: boolean; marks: string }): string {
  const { digits, reverse, marks } = how;
  const split = marks === '' ? '.' : marks;
  let parts = [value];
  for (const mark of split) parts = parts.flatMap((part) => part.split(mark));
  if (reverse) parts.reverse();
  return parts.slice(digits === '' ? 0 : -Number(digits)).join('.');
}

/** An IPv6 address as its hexadecimal digits, with a dot between any two. */
export function nibbles(address: string): string {
  const [left = '', right] = address.split('::');
  const groups = (side: string): string[] => side.split(':').filter((group) => group !== '');
  const [head, tail] = [groups(left), groups(right ?? '')];
  const zeros = right === undefined ? 0 : 8 - head.length - tail.length;
  const all = [...head, ...Array<string>(Math.max(0, zeros)).fill('0'), ...tail];
  return [...all.map((group) => group.padStart(4, '0')).join('')].join('.');
}
