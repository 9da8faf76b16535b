import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { decodeId } from '../../../packages/core/src/message.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { scratchFolder } from '../../support/relay.ts';
import { input, NOW } from './suite/bench.ts';

it('what a reader does again changes nothing of the delivery', async () => {
  const path = join(scratchFolder(), 'relay.db');
  const store = createSqliteStore({ path, messageIdOf: () => '<1@example.com>' });
  await store.open();
  onTestFinished(() => store.close());
  const watch = new DatabaseSync(path);
  onTestFinished(() => watch.close());
  watch.exec(`CREATE TABLE changed (n INTEGER);
    CREATE TRIGGER watched AFTER UPDATE ON delivery BEGIN INSERT INTO changed VALUES (1); END`);
  const changes = (): unknown => watch.prepare('SELECT count(*) AS n FROM changed').get()?.n;
  const { deliveries } = await store.intake.accept(input({ campaign: 'spring' }));
  const deliveryId = decodeId('dlv', deliveries[0]?.id ?? '') ?? 0;
  const agent = { kind: 'human', evidence: 'browser', userAgent: 'Firefox' } as const;
  const read = (at: number) =>
    store.activity.record([
      { type: 'opened', deliveryId, at, agent },
      { type: 'clicked', deliveryId, at, agent, url: 'https://a.example/' },
    ]);
  await read(NOW);
  expect(changes()).toBe(2);
  for (let again = 1; again < 10; again++) await read(NOW + again * 43_200_000);
  expect(changes()).toBe(2);
  // An earlier day that is told later is another one.
  await read(NOW - 86_400_000);
  expect(changes()).toBe(4);
});
