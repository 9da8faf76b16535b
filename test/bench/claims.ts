/** What claiming and finishing one delivery costs, by how many rows there are. */
import { createMessageIds } from '../../packages/core/src/compose/message-id.ts';
import type { SubmittedRecipient } from '../../packages/core/src/message.ts';
import type { Settlement } from '../../packages/core/src/queue/port.ts';
import type { Store } from '../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../packages/core/src/store/sqlite/store.ts';
import { createTokens } from '../../packages/core/src/token.ts';
import { contentOf, recipientOf } from '../support/content.ts';
import { elapsedMs, scratchFolder } from './figures.ts';
import { RELAY, recipient } from './mails.ts';

const LANE = { route: 'sink', stream: 'broadcast' } as const;
const BATCH = 100;
const APPENDED = 1000;

/**
 * Mean µs per delivery in a store with few and with many rows, and their ratio: batch by batch in turns, until the small store
 * has nothing left. The mean, as what a store does now and then (checkpoints) is part of what a delivery costs.
 */
export async function claimCosts(few: number, many: number): Promise<{ few: number; many: number; ratio: number }> {
  const folder = scratchFolder();
  const stores = [few, many].map((rows) => openStore(`${folder.path}/${rows}.db`));
  const times: { few: number[]; many: number[] } = { few: [], many: [] };
  try {
    const [small, large] = (await Promise.all(stores)) as [OpenStore, OpenStore];
    await small.fill(few);
    await large.fill(many);
    for (let done = 0; done < few; done += BATCH) {
      const fewMs = await elapsedMs(() => small.work());
      const manyMs = await elapsedMs(() => large.work());
      // The first tenth warms up.
      if (done < few / 10) continue;
      times.few.push((fewMs * 1000) / BATCH);
      times.many.push((manyMs * 1000) / BATCH);
    }
    const [fewUs, manyUs] = [mean(times.few), mean(times.many)];
    return { few: fewUs, many: manyUs, ratio: manyUs / fewUs };
  } finally {
    for (const store of stores) await (await store).close();
    folder.remove();
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

interface OpenStore {
  fill(rows: number): Promise<void>;
  /** Claims and finishes a batch of deliveries, as the queue does. */
  work(): Promise<void>;
  close(): Promise<void>;
}

async function openStore(path: string): Promise<OpenStore> {
  const store = createSqliteStore({ path, messageIdOf: createMessageIds(createTokens([RELAY.secret])) });
  await store.open();
  const owner = await store.queue.register({ pid: process.pid, host: 'bench', rates: {} }, Date.now());
  return {
    fill: (rows) => fill(store, rows),
    async work() {
      const claimed = await store.queue.claim({ lane: LANE, limit: BATCH, owner, now: Date.now() });
      if (claimed.length !== BATCH) throw new Error(`${claimed.length} of ${BATCH} were claimed`);
      const settlements = claimed.map(({ id }) => sent(id));
      await store.queue.settle(settlements, { owner, now: Date.now() });
    },
    close: () => store.close(),
  };
}

async function fill(store: Store, rows: number): Promise<void> {
  const { id } = await store.intake.open({
    content: contentOf({ stream: LANE.stream }),
    campaign: 'bench',
    tags: [],
    metadata: undefined,
    sendAt: undefined,
    idempotencyKey: undefined,
    route: LANE.route,
    now: Date.now(),
  });
  for (let index = 0; index < rows; index += APPENDED) {
    const batch = Array.from({ length: Math.min(APPENDED, rows - index) }, (_, at) => submitted(index + at));
    await store.intake.append(id, batch, { now: Date.now() });
  }
}

function submitted(index: number): SubmittedRecipient {
  const { to: address, data } = recipient(index);
  return { ...recipientOf(address), data };
}

function sent(deliveryId: number): Settlement {
  const startedAt = Date.now();
  const reply = '250 2.0.0 Ok';
  const steps = [{ step: 'MESSAGE', reply, ms: 1 }];
  const transcript = { route: LANE.route, host: '127.0.0.1', tls: false, startedAt, ms: 1, steps };
  return { deliveryId, startedAt, transcript, result: { type: 'sent', reply } };
}
