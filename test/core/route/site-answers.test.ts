import { describe, expect, it } from 'vitest';
import type { Answer, MxRecord, Resolver } from '../../../packages/core/src/deliver/mx/resolver.ts';
import { createSiteAnswers, knownSite } from '../../../packages/core/src/engine/site-answers.ts';
import { RECEIVERS } from '../../../packages/core/src/route/sites/receivers.ts';
import { createRollUp } from '../../../packages/core/src/route/sites/roll-up.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';

const GOOGLE: Answer<MxRecord> = { type: 'found', records: [{ name: 'aspmx.l.google.com', preference: 1 }] };
const none = async () => ({ type: 'none' }) as const;

/** Answers over a name server and a store of the test. */
function answersWith(mx: (domain: string) => Promise<Answer<MxRecord>>, kept: Record<string, string> = {}) {
  const time = { now: 0 };
  const asked: string[] = [];
  const stored = new Map<string, string>();
  const resolver: Resolver = {
    mx(domain) {
      asked.push(domain);
      return mx(domain);
    },
    addresses: none,
    txt: none,
  };
  const sites = {
    sitesOf: (domains: readonly string[]) => new Map(domains.flatMap((one) => (kept[one] ? [[one, kept[one]]] : []))),
    async keepSites(found: readonly { readonly domain: string; readonly site: string }[]) {
      for (const { domain, site } of found) {
        if (domain === 'full.test') throw new Error('the disk is full');
        stored.set(domain, site);
      }
    },
  };
  const store = { sites } as unknown as Pick<Store, 'sites'>;
  const clock = { now: () => time.now };
  const answers = createSiteAnswers({ store, rollUp: createRollUp(RECEIVERS), resolver, clock, log: () => {} });
  return { answers, time, asked, stored };
}

describe('who hosts a domain', () => {
  it('is known of receivers, of addresses, and of what the store has; else the DNS is asked, once', async () => {
    const { answers, asked, stored } = answersWith(async () => GOOGLE, {
      'kept.test': 'yahoo',
      'lost.test': 'unresolved',
    });
    const known = (site: string) => ({ type: 'known', site });
    expect(answers.of('GMail.com')).toEqual(known('google'));
    expect(answers.of('[192.0.2.1]')).toEqual(known('192.0.2.1'));
    expect(answers.of('[IPv6:2001:db8::1]')).toEqual(known('2001:db8::1'));
    expect(answers.of('kept.test')).toEqual(known('yahoo'));
    // Shaping could not resolve it: here that is no answer.
    expect(answers.of('lost.test')).toBeUndefined();
    expect(asked).toEqual([]);
    await expect(Promise.all([answers.ask('a.test', 1000), answers.ask('A.test', 1000)])).resolves.toEqual([
      known('google'),
      known('google'),
    ]);
    expect(answers.of('a.test')).toEqual(known('google'));
    expect([asked, [...stored]]).toEqual([['a.test'], [['a.test', 'google']]]);
  });

  it('is asked for again when it is old: soon where the DNS did not answer or there is none', async () => {
    let answer: Answer<MxRecord> = { type: 'trouble', reply: 'SERVFAIL' };
    const { answers, time } = answersWith(async () => answer);
    expect(await answers.ask('a.test', 1000)).toEqual({ type: 'trouble', reply: 'SERVFAIL' });
    expect(knownSite(answers)('a.test')).toBeUndefined();
    time.now += 20_000;
    answer = { type: 'no-such-name' };
    expect(answers.of('a.test')).toBeUndefined();
    expect(await answers.ask('a.test', 1000)).toEqual({ type: 'known', site: '' });
    expect(knownSite(answers)('a.test')).toBe('');
    time.now += 300_000;
    answer = GOOGLE;
    expect(await answers.ask('a.test', 1000)).toEqual({ type: 'known', site: 'google' });
    time.now += 6 * 3_600_000;
    expect(answers.of('a.test')).toBeUndefined();
  });

  it('is waited for no longer than told, while the question goes on', async () => {
    const late = Promise.withResolvers<Answer<MxRecord>>();
    const { answers, asked } = answersWith(() => late.promise);
    expect(await answers.ask('a.test', 20)).toBeUndefined();
    // Nor is it waited for again: the next mails of the domain do not wait one after the other.
    const again = Array.from({ length: 100 }, () => answers.ask('a.test', 10));
    const patience = new Promise((resolve) => setImmediate(resolve, 'the next turn'));
    expect(await Promise.race([Promise.all(again), patience])).toEqual(Array(100).fill(undefined));
    expect(knownSite(answers)('a.test')).toBeUndefined();
    late.resolve(GOOGLE);
    await expect.poll(() => knownSite(answers)('a.test')).toBe('google');
    expect(asked).toEqual(['a.test']);
  });

  it('is asked of 500 domains at once at most; the others come again', async () => {
    const late = Promise.withResolvers<Answer<MxRecord>>();
    const { answers, asked } = answersWith(() => late.promise);
    const siteOf = knownSite(answers);
    for (let index = 0; index < 600; index++) siteOf(`d${index}.test`);
    expect(asked).toHaveLength(500);
    expect(await answers.ask('d599.test', 1000)).toBeUndefined();
    late.resolve(GOOGLE);
    await expect.poll(() => siteOf('d0.test')).toBe('google');
    expect(await answers.ask('d599.test', 1000)).toEqual({ type: 'known', site: 'google' });
  });

  it('is answered also where it cannot be kept', async () => {
    const { answers } = answersWith(async () => GOOGLE);
    expect(await answers.ask('full.test', 1000)).toEqual({ type: 'known', site: 'google' });
  });
});
