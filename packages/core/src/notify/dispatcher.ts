import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { EventResult, HandedEvent, SubscriptionSpec, Turn } from '../store/port.ts';
import { attemptOf } from './attempt.ts';
import { jittered, type Schedule } from './back-off.ts';
import { createBell } from './bell.ts';
import { createHands, deliveryOf, resultOf } from './hands.ts';
import type { Handle, Turns, Verdict } from './port.ts';
import { createRest } from './rest.ts';

/** How a subscription is worked on. */
export interface DispatcherOptions {
  readonly subscription: SubscriptionSpec;
  readonly handle: Handle;
  /** Events that are handled at once; those of one delivery never are. */
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly schedule: Schedule;
  /** Pauses it once nothing has gone well for so long, ms. @default never */
  readonly pauseAfterMs?: number | undefined;
  /** After this time without a sign of life, another process takes over, ms. */
  readonly leaseMs: number;
  /** Names this process. */
  readonly holder: string;
  readonly turns: Turns;
  readonly idOf: (event: string) => number;
  readonly clock: Pick<Clock, 'now' | 'alarm'>;
  log(level: 'info' | 'warn' | 'error', fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Works on one subscription, in one process. */
export interface Dispatcher {
  /** Looks for events. */
  wake(): void;
  /** Resolves when nothing is left to do at the time as it is: what fails waits for its next attempt. */
  settled(): Promise<void>;
  /** Hands out nothing more, and waits for what is handled at the moment, ms. What is not handled waits for the next process. */
  stop(timeoutMs: number): Promise<void>;
}

/** How often to look for what other processes stored, ms. */
const POLL_MS = 1000;
/** An error of the store is waited out, ms. */
const AFTER_ERROR_MS = 2000;
/** Events in hand beside those that are handled, so that a handler need not wait for the store. */
const AHEAD = 32;

/** Begins at once. */
export function startDispatcher(options: DispatcherOptions): Dispatcher {
  const { subscription, schedule, clock, log } = options;
  const { name } = subscription;
  const hands = createHands(options.idOf);
  const rest = createRest();
  const bell = createBell(clock);
  const stopped = new AbortController();
  let results: EventResult[] = [];
  let pause: string | undefined;
  let after: number | undefined;
  let stopping = false;
  /** Until when the subscription is this process's, by the machine's time. */
  let leaseEnd = 0;
  let aside: Turn['state'] | undefined;
  let troubled = false;
  /** Who waits until nothing is left to do. */
  let waiting: (() => void)[] = [];

  /** Every event up to here is handled, or among the results. */
  function cursorOf(): number | undefined {
    const first = hands.first();
    return after === undefined || first === undefined ? after : Math.min(after, first - 1);
  }

  /** Events that may be taken into hand. */
  function room(): number {
    if (stopping) return 0;
    return Math.max(0, Math.min(options.concurrency + AHEAD, rest.most(clock.now())) - hands.size);
  }

  async function exchange(): Promise<Turn> {
    const sent = results;
    const said = pause;
    const wall = Date.now();
    results = [];
    pause = undefined;
    try {
      const turn = await options.turns({
        subscription,
        holder: options.holder,
        results: sent,
        cursor: cursorOf(),
        after,
        want: room(),
        inHand: hands.size,
        pause: said,
        pauseAfterMs: options.pauseAfterMs,
        now: clock.now(),
        wall,
        leaseMs: options.leaseMs,
        holdMs: options.timeoutMs + options.leaseMs,
      });
      if (turn.state === 'held') leaseEnd = wall + options.leaseMs;
      return turn;
    } catch (error) {
      results = [...sent, ...results];
      pause ??= said;
      throw error;
    }
  }

  /** What waits in hand is read again by whoever goes on. */
  function putDown(): void {
    const first = hands.drop();
    if (first !== undefined && after !== undefined) after = Math.min(after, first - 1);
  }

  function take(turn: Turn): void {
    if (turn.state === 'held') {
      after = turn.after;
      // What is over by now was handed out before that was known.
      hands.add(turn.events.filter(({ event }) => results.every(({ id }) => id !== event.id)));
    } else if (turn.state === 'paused') {
      putDown();
      if (hands.running === 0) after = undefined;
    } else {
      // Another process works on it, or nobody: the store knows where to go on.
      if (turn.state !== 'idle') results = [];
      hands.drop();
      after = undefined;
    }
    announce(turn);
    begin();
  }

  /** Says once why nothing is handled. */
  function announce({ state, pausedFor: reason }: Turn): void {
    if (reason !== undefined)
      log('error', { subscription: name, reason }, 'a subscription was paused: relay.subscriptions.resume() goes on');
    const before = aside;
    aside = state === 'gone' || state === 'superseded' ? state : undefined;
    if (aside === undefined || aside === before) return;
    const why =
      aside === 'gone'
        ? 'a subscription was removed: this process handles its events no more'
        : 'a subscription was declared with other types by another process, which handles its events';
    log('warn', { subscription: name }, why);
  }

  function begin(): void {
    // After a pause that was longer than the lease, others may have what is in hand.
    if (Date.now() >= leaseEnd) return;
    while (!stopping && hands.running < Math.min(options.concurrency, rest.most(clock.now()))) {
      const entry = hands.next();
      if (entry === undefined) return;
      void run(entry);
    }
  }

  async function run(entry: HandedEvent): Promise<void> {
    const { event, attempt } = entry;
    // A process that ended in the middle had its attempt, too.
    const spent = attempt > schedule.attempts;
    const verdict: Verdict = spent
      ? { ok: false, error: 'the process ended while it was handled' }
      : await attemptOf(options.handle, event, { attempt, timeoutMs: options.timeoutMs, stopped: stopped.signal });
    settle(entry, verdict);
    begin();
    bell.ring();
  }

  function settle(entry: HandedEvent, verdict: Verdict): void {
    if (verdict.ok) {
      rest.succeeded();
      hands.over(entry, false);
      results.push({ ...resultOf(entry, { type: 'done' }), request: verdict.request });
      return;
    }
    const { event, attempt } = entry;
    const now = clock.now();
    const { error, waitMs = 0, request } = verdict;
    pause ??= verdict.pause;
    rest.failed(event.id, now);
    const final = attempt >= schedule.attempts && verdict.pause === undefined;
    const wait = Math.max(waitMs, jittered(schedule.wait(attempt)));
    const fields = { subscription: name, event: event.type, eventId: event.id, deliveryId: deliveryOf(event), attempt };
    if (final) log('error', { ...fields, error }, 'an event was given up: relay.subscriptions.replay() tries it again');
    else log('warn', { ...fields, error, waitMs: wait }, 'an event could not be handled, and is tried again');
    const outcome = final
      ? ({ type: 'failed', error } as const)
      : ({ type: 'retry', error, dueAt: now + wait } as const);
    results.push({ ...resultOf(entry, outcome), request }, ...hands.over(entry, true));
  }

  /** Something is handled, or can be as soon as the store says so. */
  function isBusy(): boolean {
    return hands.running > 0 || (hands.size > 0 && rest.most(clock.now()) > 0);
  }

  function release(asked: readonly (() => void)[]): void {
    for (const resolve of stopping ? [...asked, ...waiting.splice(0)] : asked) resolve();
  }

  async function work(): Promise<void> {
    for (;;) {
      // The last exchange gives the subscription to whoever comes.
      const last = stopping;
      if (last) putDown();
      // What was stored before they asked is seen by this exchange.
      const asked = waiting;
      waiting = [];
      try {
        const turn = await exchange();
        troubled = false;
        take(turn);
        if (last && hands.running === 0 && results.length === 0) return release(asked);
        const goesOn = results.length > 0 || (turn.more && room() > AHEAD / 2);
        if (goesOn || isBusy()) waiting.push(...asked);
        if (goesOn) continue;
        const wait = turn.state === 'held' ? options.leaseMs / 3 : POLL_MS;
        const rung = bell.next(wait, soonest(turn.nextDueAt, rest.until(clock.now())));
        if (!isBusy()) release(asked);
        await rung;
      } catch (error) {
        waiting.push(...asked);
        if (last && hands.running === 0) return release([]);
        if (!troubled) log('error', { subscription: name, error: messageOf(error) }, 'events could not be handed out');
        troubled = true;
        await bell.next(AFTER_ERROR_MS, undefined);
      }
    }
  }

  const working = work();
  return {
    wake: () => bell.ring(),
    settled() {
      if (stopping) return working;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      bell.ring();
      return promise;
    },
    async stop(timeoutMs) {
      stopping = true;
      bell.ring();
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, timeoutMs);
      await Promise.race([working, late.promise]);
      clearTimeout(timer);
      stopped.abort(new Error('the relay stops'));
    },
  };
}

function soonest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
