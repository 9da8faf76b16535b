/** `npm run test:faults` runs the full form; `npm test` a short one of each test. */
const FULL = process.env.MAIL_RELAY_FAULTS === 'full';

/** What differs between the two forms. */
export function inForm<T>(form: { readonly short: T; readonly full: T }): T {
  return FULL ? form.full : form.short;
}

/** What all that is random here comes from. */
export const seed: number = Number(process.env.MAIL_RELAY_SEED ?? Math.floor(Math.random() * 2 ** 31));
console.info(`MAIL_RELAY_SEED=${seed}`);
let state = seed;

/** A number from 0 up to 1, repeatable with MAIL_RELAY_SEED. */
export function random(): number {
  // mulberry32
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

/** A whole number between two, both included. */
export function between(least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}
