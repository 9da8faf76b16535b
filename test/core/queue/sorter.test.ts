import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { WaitingMail } from '../../../packages/core/src/queue/site-port.ts';
import { createSorter, type Sorter, type SorterContext } from '../../../packages/core/src/queue/sorter.ts';

const LANE = { route: 'mx', stream: 'broadcast' } as const;

interface Bench {
  readonly sorter: Sorter;
  /** Adds mails to domains, and wakes the sorter. */
  readonly add: (...domains: readonly string[]) => void;
  /** Domains of the mails that were sorted, in order, and their sites. */
  readonly sorted: readonly (readonly [domain: string, site: string])[];
  /** Commits. */
  readonly commits: () => number;
  readonly errors: readonly unknown[];
}

/** A sorter over a lane in memory. Sites are those of `known`; others are asked for. */
function bench(
  known: Readonly<Record<string, string>>,
  ask: (domain: string) => Promise<string>,
  more: Partial<SorterContext> = {},
): Bench {
  const waiting = new Map<number, WaitingMail>();
  const sorted: (readonly [string, string])[] = [];
  const errors: unknown[] = [];
  let commits = 0;
  let lastId = 0;
  const sorter = createSorter({
    store: {
      unsorted: ({ after, limit }) =>
        // All are due at the same time, and come in the order of their numbers.
        [...waiting.values()].filter(({ id }) => id > (after?.id ?? 0)).slice(0, limit),
      async sort(_, sites) {
        commits += 1;
        await setTimeout(1);
        for (const [site, ids] of sites)
          for (const id of ids) {
            const mail = waiting.get(id);
            waiting.delete(id);
            sorted.push([mail?.domain ?? '', site]);
          }
      },
    },
    finder: {
      known: (_, domains) => new Map(domains.flatMap((name) => (name in known ? [[name, known[name] as string]] : []))),
      ask: (_, domain) => ask(domain),
    },
    clock: { now: () => 1000 },
    onSorted() {},
    onError: (error) => void errors.push(error),
    ...more,
  });
  onTestFinished(() => sorter.stop());
  return {
    sorter,
    add(...domains) {
      for (const domain of domains) {
        lastId += 1;
        waiting.set(lastId, { id: lastId, messageId: lastId, address: `a@${domain}`, domain, dueAt: 1000 });
      }
      sorter.wake(LANE);
    },
    sorted,
    commits: () => commits,
    errors,
  };
}

const never = (): Promise<string> => new Promise(() => {});
const many = (count: number, name: (index: number) => string): string[] =>
  Array.from({ length: count }, (_, index) => name(index));

describe('sorting by site', () => {
  it('holds nobody up whose site is known while others wait for the DNS', async () => {
    const { add, sorted } = bench({ 'known.test': 'known' }, never);
    add(...many(5000, (index) => `mute${index}.test`), 'known.test');
    await expect.poll(() => sorted).toEqual([['known.test', 'known']]);
    add('known.test', 'known.test');
    await expect.poll(() => sorted).toHaveLength(3);
  });

  it('does not wait for a slow answer to use the others', async () => {
    const slow = Promise.withResolvers<string>();
    const { add, sorted } = bench({}, (domain) => (domain === 'slow.test' ? slow.promise : Promise.resolve('mx.test')));
    add('slow.test', ...many(2000, (index) => `d${index}.test`));
    await expect.poll(() => sorted.length).toBe(2000);
    slow.resolve('late');
    await expect.poll(() => sorted.at(-1)).toEqual(['slow.test', 'late']);
  });

  it('holds a bounded number, and sorts answers together', async () => {
    let open = 0;
    let most = 0;
    const { add, sorted, commits } = bench({}, async () => {
      open += 1;
      most = Math.max(most, open);
      await setTimeout(Math.random() * 20);
      open -= 1;
      return 'mx.test';
    });
    add(...many(5000, (index) => `d${index}.test`), ...many(30_000, (index) => `e${index}.test`));
    await expect.poll(() => sorted.length, { timeout: 20_000 }).toBe(35_000);
    expect(new Set(sorted.map(([domain]) => domain)).size).toBe(35_000);
    expect(most).toBeLessThanOrEqual(20_500);
    expect(commits()).toBeLessThan(3500);
  });

  it('goes on with what comes in as it ends', async () => {
    const { add, sorted } = bench({ 'known.test': 'known' }, never);
    for (let round = 1; round <= 200; round++) {
      add('known.test');
      while (sorted.length < round) await setTimeout(0);
    }
    expect(sorted).toHaveLength(200);
  });

  it('leaves alone what went to another route', async () => {
    const moved: number[] = [];
    const { add, sorted } = bench({ 'here.test': 'here', 'there.test': 'there' }, never, {
      async divert(_, mails) {
        await setTimeout(5);
        const gone = mails
          .filter(({ domain, id }) => domain === 'there.test' && !moved.includes(id))
          .map(({ id }) => id);
        moved.push(...gone);
        return new Set(gone);
      },
    });
    add('there.test', 'here.test');
    await expect.poll(() => sorted).toContainEqual(['here.test', 'here']);
    expect(moved).toEqual([1]);
  });

  it('tells what failed, and reads the mail again', async () => {
    let failing = true;
    const { add, sorted, sorter, errors } = bench({}, async () => {
      if (failing) throw new Error('broken');
      return 'mx.test';
    });
    add('one.test');
    await expect.poll(() => errors).toMatchObject([{ message: 'broken' }]);
    failing = false;
    sorter.wake(LANE);
    await expect.poll(() => sorted).toEqual([['one.test', 'mx.test']]);
  });

  it('ends while questions are open', async () => {
    const { add, sorter, sorted } = bench({}, never);
    add('mute.test');
    await setTimeout(5);
    await sorter.stop();
    add('later.test');
    await setTimeout(20);
    expect(sorted).toEqual([]);
  });
});
