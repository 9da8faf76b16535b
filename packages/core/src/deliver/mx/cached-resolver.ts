import type { Clock } from '../../clock.ts';
import type { Answer, Resolver } from './resolver.ts';

/** Bounds of how long answers are kept, ms. Node tells the TTL of addresses alone; the others are kept for `UNTOLD_MS`. */
const LEAST_MS = 30_000;
const MOST_MS = 3_600_000;
const UNTOLD_MS = 300_000;
/** "There is none" is kept shortly, as somebody may be about to mend it; trouble only so that nobody hammers. */
const NEGATIVE_MS = 60_000;
const TROUBLE_MS = 5000;
/** Names that are kept, a few hundred bytes each; the oldest go first. A campaign to 25,000 domains asks for so many. */
const NAMES = 100_000;

interface Kept {
  readonly answer: Promise<Answer<never>>;
  until: number;
}

/** Keeps answers, and asks once where many ask at the same time. */
export function cachedResolver(resolver: Resolver, clock: Pick<Clock, 'now'>): Resolver {
  const kept = new Map<string, Kept>();

  function look<T>(key: string, ask: () => Promise<Answer<T>>): Promise<Answer<T>> {
    const known = kept.get(key);
    if (known !== undefined && clock.now() < known.until) return known.answer;
    const answer = ask();
    const entry: Kept = { answer: answer as Promise<Answer<never>>, until: Number.POSITIVE_INFINITY };
    kept.delete(key);
    kept.set(key, entry);
    void answer.then((said) => {
      entry.until = clock.now() + keepMs(said);
    });
    if (kept.size > NAMES) forgetOldest();
    return answer;
  }

  function forgetOldest(): void {
    for (const oldest of kept.keys()) {
      if (kept.size <= NAMES) return;
      kept.delete(oldest);
    }
  }

  return {
    mx: (domain) => look(`MX ${domain}`, () => resolver.mx(domain)),
    addresses: (host) => look(`A ${host}`, () => resolver.addresses(host)),
    txt: (name) => look(`TXT ${name}`, () => resolver.txt(name)),
  };
}

function keepMs(answer: Answer<unknown>): number {
  if (answer.type === 'trouble') return TROUBLE_MS;
  if (answer.type !== 'found') return NEGATIVE_MS;
  return Math.min(MOST_MS, Math.max(LEAST_MS, answer.ttlMs ?? UNTOLD_MS));
}
