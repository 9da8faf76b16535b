/** Who reads, and how: the same people do the same things in each run. */

/** A program that fetches what is in a mail. */
export interface MailProgram {
  /** A person, an image proxy that fetches for one, a privacy proxy that fetches for nobody, or a security scanner. */
  readonly kind: 'person' | 'image-proxy' | 'privacy-proxy' | 'scanner';
  readonly userAgent: string;
}

/** What one reader does with the mail. */
export interface Plan {
  readonly program: MailProgram;
  /** How often the pixel is fetched. */
  readonly opens: number;
  /** How many links are followed. */
  readonly clicks: number;
  readonly unsubscribes: boolean;
}

const PERSONS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
].map((userAgent): MailProgram => ({ kind: 'person', userAgent }));

const GMAIL: MailProgram = {
  kind: 'image-proxy',
  userAgent: 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
};
const APPLE: MailProgram = { kind: 'privacy-proxy', userAgent: 'Mozilla/5.0' };
const SCANNER: MailProgram = { kind: 'scanner', userAgent: 'Barracuda Sentinel (EE)' };

/** What the reader of the nth mail does; `undefined` where nobody opens it. */
export function planOf(index: number): Plan | undefined {
  const dice = random(index);
  const roll = dice();
  if (roll > 0.55) return undefined;
  if (roll > 0.5) return { program: APPLE, opens: 1, clicks: 0, unsubscribes: false };
  if (roll > 0.46) return { program: SCANNER, opens: 1, clicks: 3, unsubscribes: false };
  if (roll > 0.36) return { program: GMAIL, opens: 1 + Math.floor(dice() * 2), clicks: 0, unsubscribes: false };
  const program = PERSONS[Math.floor(dice() * PERSONS.length)] ?? SCANNER;
  const clicks = dice() < 0.35 ? 1 + Math.floor(dice() * 2) : 0;
  return { program, opens: 1 + Math.floor(dice() * 2), clicks, unsubscribes: dice() < 0.08 };
}

/** Numbers from 0 to 1 that look random and are the same each time (mulberry32). */
export function random(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
