import { onTestFinished } from 'vitest';
import type { Stream } from '../../../packages/core/src/message.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { contentOf, recipientOf } from '../../support/content.ts';

export const STREAMS = ['transactional', 'broadcast'] as const;

/** A store in memory until the test ends. */
export async function openStore(): Promise<Store> {
  const store = createSqliteStore({ path: ':memory:', messageIdOf: () => '<a@b.example>' });
  await store.open();
  onTestFinished(() => store.close());
  return store;
}

/** Mail for the route `out`. */
export async function accept(store: Store, stream: Stream, addresses: readonly string[], now: number): Promise<void> {
  await store.intake.accept({
    content: contentOf({ stream }),
    campaign: undefined,
    tags: [],
    metadata: undefined,
    sendAt: undefined,
    idempotencyKey: undefined,
    route: 'out',
    now,
    recipients: addresses.map((address) => recipientOf(address)),
  });
}
