/** What claiming and finishing one delivery costs, by how many rows there are. */
import { createMessageIds } from '../../packages/core/src/compose/message-id.ts';
import type { SubmittedRecipient } from '../../packages/core/src/message.ts';
import type { Settlement } from '../../packages/core/src/queue/port.ts';
import type { Store } from '../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../packages/core/src/store/sqlite/store.ts';
import { createTokens } from '../../packages/core/src/token.ts';
import { contentOf, recipientOf } from '../support/content.ts';
import { elapsedMs, median, medianRatio, scratchFolder } from './figures.ts';
import { RELAY, recipient } from './mails.ts';

const LANE = { route: 'sink', stream: 'broadcast' } as const;
const BATCH = 100;
const APPENDED = 1000;

/** Median µs per delivery in a store with few and with many rows, measured in turns, and their ratio. */
export async function claimCosts(
  few: number,
  many: number,
  rounds: number,
): Promise<{ few: number; many: number; ratio: number }> {
  const folder = scratchFolder();
  const stores = [few, many].map((rows) => openStore(`${folder.path}/${rows}.db`));
  const times: { few: number[]; many: number[] } = { few: [], many: [] };
  // The first round warms up, and nothing is left over in the small store at the end.
  const share = few / (rounds + 1);
  try {
    const [small, large] = (await Promise.all(stores)) as [OpenStore, OpenStore];
    await small.fill(few);
    await large.fill(many);
    for (let round = 0; round <= rounds; round++) {
      const fewMs = await elapsedMs(() => small.work(share));
      const manyMs = await elapsedMs(() => large.work(share));
      if (round === 0) continue;
      times.few.push((fewMs * 1000) / share);
      times.many.push((manyMs * 1000) / share);
    }
    return { few: median(times.few), many: median(times.many), ratio: medianRatio(times.many, times.few) };
  } finally {
    for (const store of stores) await (await store).close();
    folder.remove();
  }
}

interface OpenStore {
  fill(rows: number): Promise<void>;
  /** Claims and finishes deliveries, in batches as the queue does. */
  work(deliveries: number): Promise<void>;
  close(): Promise<void>;
}

async function openStore(path: string): Promise<OpenStore> {
  const store = createSqliteStore({ path, messageIdOf: createMessageIds(createTokens([RELAY.secret])) });
  await store.open();
  const owner = await store.queue.register({ pid: process.pid, host: 'bench', rates: {} }, Date.now());
  return {
    fill: (rows) => fill(store, rows),
    async work(deliveries) {
      for (let done = 0; done < deliveries; ) {
        const limit = Math.min(BATCH, deliveries - done);
        const claimed = await store.queue.claim({ lane: LANE, limit, owner, now: Date.now() });
        if (claimed.length !== limit) throw new Error(`${claimed.length} of ${limit} were claimed`);
        await store.queue.settle(
          claimed.map(({ id }) => sent(id)),
          { owner, now: Date.now() },
        );
        done += limit;
      }
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
