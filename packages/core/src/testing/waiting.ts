import type { DeliveryState, LaneView, MailRelay, MessageRecord } from '../index.ts';

/** How a test waits: for states, never for time. */
export interface Waiting {
  /**
   * Resolves when the message, or the one delivery, is in one of these states: with all of its deliveries.
   *
   * @param id - of a message or of a delivery
   * @throws Error after `timeoutMs` (of real time), with where it is instead. @default 5000
   */
  when(
    id: string,
    state: DeliveryState | readonly DeliveryState[],
    options?: { readonly timeoutMs?: number },
  ): Promise<MessageRecord>;
  /** Resolves when everything that is due has been tried, and subscriptions and endpoints have been told of it. */
  settled(): Promise<void>;
  /** When the next mail may go; undefined where none waits. */
  nextDueAt(): Promise<number | undefined>;
}

const TIMEOUT_MS = 5000;
/** How often the queue is looked at while nothing is told of it, ms. */
const LOOK_MS = 50;
/** Real time that the queue may take without anything happening, ms. */
const REST_MS = 10_000;
/** Real time that subscriptions and endpoints may take, ms: endpoints do not answer for 15 s by default. */
const TOLD_MS = 30_000;

/** Waits for what a relay does. */
export function createWaiting(relay: MailRelay, told: () => Promise<void>, now: () => number): Waiting {
  let happening = Promise.withResolvers<void>();
  let events = 0;
  relay.on('event', () => {
    events += 1;
    happening.resolve();
    happening = Promise.withResolvers();
  });

  /** Answers whether something happens within the time. */
  async function within(happened: Promise<void>, ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), ms);
    });
    try {
      return await Promise.race([happened.then(() => true), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** @throws Error with what `explain` says, where nothing happens any more. */
  async function next(happened: Promise<void>, ms: number, explain: () => string): Promise<void> {
    if (!(await within(happened, ms))) throw new Error(explain());
  }

  /** Waits until the queue has tried everything that is due. */
  async function rest(): Promise<void> {
    let before = '';
    let changedAt = performance.now();
    for (;;) {
      const happened = happening.promise;
      // What is written is announced in the same turn.
      await new Promise(setImmediate);
      const busy = (await allLanes(relay)).filter(
        ({ paused, sending, readyAt = Number.POSITIVE_INFINITY }) => sending > 0 || (!paused && readyAt <= now()),
      );
      if (busy.length === 0) {
        await new Promise(setImmediate);
        return;
      }
      const lanes = busy.map(({ route, stream, waiting }) => `${waiting} ${stream} for ${route}`);
      const seen = JSON.stringify(
        busy.map(({ route, waiting, sending, readyAt }) => [route, waiting, sending, readyAt]),
      );
      if (seen !== before) changedAt = performance.now();
      before = seen;
      // What goes back untried is no event.
      if (await within(happened, LOOK_MS)) changedAt = performance.now();
      else if (performance.now() - changedAt > REST_MS)
        throw new Error(`the queue does not come to rest: ${lanes.join(', ')}`);
    }
  }

  return {
    async when(id, state, { timeoutMs = TIMEOUT_MS } = {}) {
      const wanted = [state].flat();
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const happened = happening.promise;
        const record = await relay.messages.get(id);
        if (record === undefined) throw new Error(`${id} is neither a message nor a delivery of this relay`);
        if (isIn(record, id, wanted)) return record;
        await next(happened, deadline - performance.now(), () => whereabouts(record, wanted, now()));
      }
    },
    async settled() {
      let before: number;
      do {
        await rest();
        before = events;
        await next(told(), TOLD_MS, () => 'a subscription, or an endpoint of webhooksOut, does not come to an end');
        // What was told of something may have sent.
      } while (events !== before);
    },
    async nextDueAt() {
      const due = (await allLanes(relay)).flatMap(({ paused, readyAt }) =>
        paused || readyAt === undefined ? [] : [readyAt],
      );
      return due.length === 0 ? undefined : Math.min(...due);
    },
  };
}

/** Lanes that are asked for at once. */
const PAGE = 1000;

async function allLanes(relay: Pick<MailRelay, 'lanes'>): Promise<LaneView[]> {
  const all: LaneView[] = [];
  for (;;) {
    const page = await relay.lanes.list({ limit: PAGE, offset: all.length });
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}

function isIn(record: MessageRecord, id: string, wanted: readonly DeliveryState[]): boolean {
  const one = record.deliveries.find((delivery) => delivery.id === id);
  if (one !== undefined) return wanted.includes(one.state);
  return Object.keys(record.counts).every((state) => wanted.includes(state as DeliveryState));
}

function whereabouts(record: MessageRecord, wanted: readonly DeliveryState[], now: number): string {
  const lines = record.deliveries.map(({ recipient, state, reason, dueAt }) => {
    const due = dueAt === undefined || dueAt.getTime() <= now ? '' : `, due at ${dueAt.toISOString()}`;
    return `  ${recipient}: ${state}${due}${reason === undefined ? '' : ` (${reason})`}`;
  });
  const waits = record.deliveries.some(({ dueAt }) => (dueAt?.getTime() ?? 0) > now);
  const hint = waits ? `\nThe clock is at ${new Date(now).toISOString()}; move it with clock.advance(ms).` : '';
  return `${record.id} is not ${wanted.join(' or ')}:\n${lines.join('\n')}${hint}`;
}
