import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type DeliveryState, type Transition, transition } from '../../../packages/core/src/message.ts';
import type { Settlement } from '../../../packages/core/src/queue/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { recipientOf } from '../../support/content.ts';
import { BOUNCED, claim, DEFERRED, input, NOW, SENT, settlement } from './suite/bench.ts';

const TRANSITIONS = [
  'due',
  'claim',
  'release-lease',
  'send',
  'defer',
  'bounce',
  'expire',
  'suppress',
  'cancel',
  'hold',
  'release',
  'retry',
  'confirm',
  'complain',
] as const satisfies readonly Transition[];

/** What may happen to deliveries; the number picks one of them. */
const deed = fc.record({
  kind: fc.constantFrom('claim', 'settle', 'hold', 'release', 'cancel', 'retry', 'suppress', 'lift', 'recover'),
  pick: fc.nat({ max: 5 }),
  result: fc.constantFrom<Settlement['result']>(
    SENT,
    DEFERRED,
    BOUNCED,
    { type: 'failed', reply: 'too old', status: undefined, reason: 'expired' },
    { type: 'suppressed', reason: 'manual (all)' },
    { type: 'returned' },
  ),
});

it('whatever happens in whatever order, a delivery takes only steps that the vocabulary allows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 25 }), async (deeds) => {
      const store = createSqliteStore({ path: ':memory:', messageIdOf: () => '<1@example.com>' });
      await store.open();
      const addresses = ['a', 'b', 'c', 'd', 'e', 'f'].map((one) => `${one}@example.com`);
      const recipients = addresses.map(recipientOf);
      const accepted = await store.intake.accept(input({ recipients, sendAt: NOW - 1 }));
      const states = async (): Promise<DeliveryState[]> =>
        (await store.log.list({ limit: 10 })).items.map(({ state }) => state);
      let owner = await store.queue.register({ pid: 1, host: 'here', rates: {} }, NOW);
      let before = await states();
      let now = NOW;
      for (const { kind, pick, result } of deeds) {
        now += 100_000;
        const id = accepted.deliveries[pick]?.id as string;
        const address = addresses[pick] as string;
        if (kind === 'claim') await claim(store, owner, now, pick + 1);
        else if (kind === 'settle') {
          const number = Number.parseInt(id.slice(4), 36);
          await store.queue.settle([settlement({ id: number }, result)], { owner, now });
        } else if (kind === 'suppress')
          await store.suppressions.add({ address, scope: 'all', reason: 'manual', evidence: undefined }, now);
        else if (kind === 'lift') await store.suppressions.remove(address);
        else if (kind === 'recover') {
          await store.queue.unregister(owner, now);
          owner = await store.queue.register({ pid: 1, host: 'here', rates: {} }, now);
        } else {
          // Where it does not apply it is refused, and changes nothing.
          const refused = { code: 'MESSAGE_STATE' };
          await store.log.apply({ id }, kind, { now }).catch((error) => expect(error).toMatchObject(refused));
        }
        const after = await states();
        for (const [index, state] of after.entries()) {
          const from = before[index] as DeliveryState;
          const allowed = from === state || TRANSITIONS.some((by) => transition(from, by) === state);
          expect(allowed, `${kind}: ${from} -> ${state}`).toBe(true);
        }
        before = after;
      }
      await store.close();
    }),
    { numRuns: 60 },
  );
});
