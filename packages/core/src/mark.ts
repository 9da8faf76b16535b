import { hash } from 'node:crypto';
import type { Mac } from './mac.ts';

/** What a mark is of. The order goes into the mark: append only. */
const MARKED = ['message', 'delivery'] as const;
const KEY_BYTES = 32;
const LENGTH = 8;

/** Marks a number so that nobody can make, or guess, the mark of another one: 48 bits, base64url. */
export type Mark = (of: (typeof MARKED)[number], number: number) => string;

/**
 * The SHA-256 of a key of its own and the number. What is hashed always has the same length, one block of SHA-256, so that
 * nothing can be appended, and the key in front makes it a MAC; an HMAC costs twice as much, for every mail.
 */
export function createMark(mac: Mac): Mark {
  const block = Buffer.alloc(KEY_BYTES + 16);
  let keyed = false;
  return (of, number) => {
    if (!keyed) mac(Buffer.from('mark')).copy(block);
    keyed = true;
    block[KEY_BYTES] = MARKED.indexOf(of);
    block.writeDoubleBE(number, KEY_BYTES + 8);
    return hash('sha256', block, 'base64url').slice(0, LENGTH);
  };
}
