import { expect, it } from 'vitest';
import { decodeId } from '../../../packages/core/src/message.ts';
import type { Activity } from '../../../packages/core/src/store/port.ts';
import { open } from './journal-bench.ts';
import { input, NOW } from './suite/bench.ts';

const AGENT = { kind: 'human', evidence: 'browser', userAgent: 'Mozilla/5.0 (X11; Linux x86_64)' } as const;

/** A store with a mail, whose reader does what is told; answers the events of the mail as they are read, and as they lie there. */
async function readBy(deeds: readonly Partial<Activity>[]) {
  const { store, count, raw } = await open();
  const { deliveries, id: message } = await store.intake.accept(input({ campaign: 'c' }));
  const deliveryId = decodeId('dlv', deliveries[0]?.id ?? '') as number;
  await store.log.list({ limit: 1 });
  await store.activity.record(
    deeds.map((deed) => ({ type: 'clicked' as const, deliveryId, at: NOW, agent: AGENT, ...deed })),
  );
  const events = async () =>
    ((await store.log.get(message))?.events ?? []).flatMap((event) => (event.type === 'clicked' ? [event] : []));
  return { events, count, raw };
}

it('what many readers say is stored once, and read in full', async () => {
  const click = { url: 'https://a.example/', link: 0 };
  const { events, count } = await readBy(Array.from({ length: 10 }, () => click));
  expect(await events()).toHaveLength(10);
  expect(new Set((await events()).map((event) => JSON.stringify({ ...event, id: undefined }))).size).toBe(1);
  expect((await events())[0]).toMatchObject({ agent: AGENT, ...click });
  // The program, and the address.
  expect(count('phrase')).toBe(2);
});

it('an address that is of one recipient stays with their event', async () => {
  const own = Array.from({ length: 5 }, (_, index) => ({
    url: `https://a.example/?${index}`,
    form: 'https://a.example/?{{id}}',
    link: 1,
  }));
  // A provider does not say which link of the mail it was.
  const theirs = { url: 'https://b.example/?token=1' };
  const { events, count } = await readBy([...own, theirs]);
  expect((await events()).map((event) => event.url)).toEqual([...own.map(({ url }) => url), theirs.url]);
  expect(count('phrase')).toBe(1);
});

it('a phrase that is gone is STORE_CORRUPT, and named', async () => {
  const { events, raw } = await readBy([{}]);
  raw('UPDATE phrase SET id = id + 100');
  await expect(events()).rejects.toMatchObject({ code: 'STORE_CORRUPT', details: { row: 'phrase 1' } });
});
