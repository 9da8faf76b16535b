import { onTestFinished } from 'vitest';
import type { ClaimedDelivery, Settlement } from '../../../../packages/core/src/queue/port.ts';
import type { AcceptInput, DeliveryActivity, Store, TurnRequest } from '../../../../packages/core/src/store/port.ts';
import { contentOf, recipientOf } from '../../../support/content.ts';

/** What a store is that the suite opened, and shorter ways to use it. */
export interface Bench {
  readonly store: Store;
  accept(over?: Partial<AcceptInput>): ReturnType<Store['intake']['accept']>;
  owner(): Promise<number>;
}

/** The lane of the messages that `accept` makes. */
export const LANE = { route: 'out', stream: 'transactional' } as const;
/** When everything happens. */
export const NOW = Date.UTC(2026, 0, 5, 12);

/** What is known of a delivery as a reader acts. */
export async function knownOf(store: Store, deliveryId: number, at: number): Promise<DeliveryActivity | undefined> {
  let found: DeliveryActivity | undefined;
  await store.activity.read([{ deliveryId, at }], (_, known) => {
    found = known;
    return undefined;
  });
  return found;
}

/** A message as it comes in. */
export function input(over: Partial<AcceptInput> = {}): AcceptInput {
  return {
    content: contentOf(),
    campaign: undefined,
    tags: [],
    metadata: undefined,
    sendAt: undefined,
    idempotencyKey: undefined,
    recipients: [recipientOf('ada@example.com')],
    route: 'out',
    now: NOW,
    ...over,
  };
}

/** A result with its transcript. */
export function settlement({ id }: Pick<ClaimedDelivery, 'id'>, result: Settlement['result']): Settlement {
  const transcript = {
    route: 'out',
    host: 'mx.example.com',
    tls: true,
    startedAt: NOW + 40,
    ms: 12,
    steps: [
      { step: 'CONN', reply: '220 here', ms: 4 },
      { step: 'AUTH PLAIN', reply: '235 welcome', ms: 2 },
      { step: 'RCPT', ms: 3 },
      { step: 'DATA', reply: '354 go', ms: 0 },
      { step: 'MESSAGE', reply: 'reply' in result ? result.reply : '', ms: 8 },
    ],
  };
  return { deliveryId: id, startedAt: NOW + 40, result, transcript };
}

/** Outcomes. */
export const SENT = { type: 'sent', reply: '250 2.0.0 Ok: queued as 4F2A' } as const;
export const DEFERRED = {
  type: 'deferred',
  retryAt: NOW + 60_000,
  reply: '451 4.3.0 Later',
  status: '4.3.0',
  reason: 'other',
} as const;
export const BOUNCED = {
  type: 'bounced',
  kind: 'hard',
  reply: '550 5.1.1 Unknown',
  status: '5.1.1',
  reason: 'no-such-mailbox',
  suppress: true,
} as const;

/** Opens an empty store. */
export type OpenStore = () => Promise<Store>;

/** A store until the test ends. */
export async function benchOn(open: OpenStore): Promise<Bench> {
  const store = await open();
  onTestFinished(() => store.close());
  return {
    store,
    accept: (over) => store.intake.accept(input(over)),
    owner: () => store.queue.register({ pid: 1, host: 'here', rates: {} }, NOW),
  };
}

/** Claims from the lane. */
export function claim(store: Store, owner: number, now = NOW, limit = 10): Promise<ClaimedDelivery[]> {
  return store.queue.claim({ lane: LANE, limit, owner, now });
}

/** What a process asks for that begins to work on a subscription. */
export function turnRequest(over: Partial<TurnRequest> & Pick<TurnRequest, 'subscription'>): TurnRequest {
  return {
    holder: 'one',
    results: [],
    cursor: undefined,
    after: undefined,
    want: 10,
    inHand: 0,
    now: NOW,
    wall: NOW,
    leaseMs: 1000,
    holdMs: 1000,
    ...over,
  };
}
