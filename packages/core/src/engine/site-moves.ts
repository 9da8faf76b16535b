import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { STREAMS } from '../message.ts';
import type { LaneKey, WaitingMail } from '../queue/port.ts';
import type { Divert } from '../queue/sorter.ts';
import type { Store } from '../store/port.ts';
import type { HostApi } from '../thread/port.ts';
import type { SiteWays } from './site-ways.ts';

/** Mail that waits on a route for which its site is wrong, or was not known when it came, moves before its turn. */
export interface SiteMoves {
  /** Which of some mails of a lane are to take another route. */
  readonly divert: Divert;
  start(): void;
  /** Resolves when nothing is being moved any more. */
  stop(): Promise<void>;
}

/** How often lanes are looked through for what came in, ms. */
const LOOK_MS = 1000;
/** From their beginning they are looked through again after this time, ms; sooner where some sites were not known. */
const ALL_AGAIN_MS = 600_000;
const UNKNOWN_AGAIN_MS = 30_000;
const PAGE = 500;
/** Longest wait for the DNS with one page, ms. */
const PATIENCE_MS = 2000;

/** How far a lane was looked through. */
interface Looked {
  after: { readonly dueAt: number; readonly id: number } | undefined;
  unknown: boolean;
  againAt: number;
}

/**
 * A route may be full, paused or out of order for hours: mail that is not for it must not wait for that.
 *
 * @param routes - those that are looked through here; routes with lanes by site are, as their mail is sorted
 */
export function createSiteMoves(context: {
  readonly store: Pick<Store, 'log' | 'sites'>;
  readonly siteWays: SiteWays;
  readonly routes: readonly string[];
  readonly clock: Pick<Clock, 'now' | 'every'>;
  readonly log: HostApi['log'];
  onMoved(): void;
}): SiteMoves {
  const { store, siteWays, routes, clock, log, onMoved } = context;
  const lanes = routes.flatMap((route) => STREAMS.map((stream): LaneKey => ({ route, stream })));
  const looked = new Map(
    lanes.map((lane): [LaneKey, Looked] => [lane, { after: undefined, unknown: false, againAt: 0 }]),
  );
  let looking: Promise<void> | undefined;
  let stopping = false;
  let end = (): void => {};

  async function turnsOf({ route }: LaneKey, mails: readonly WaitingMail[]) {
    return Promise.all(
      mails.map(async ({ id, messageId, address, inDoubt }) => {
        const content = await store.log.content(messageId);
        const entering = content && { content, address, inDoubt, labels: () => store.log.labels(messageId) };
        return { id, turn: entering && (await siteWays.turn(route, entering, PATIENCE_MS)) };
      }),
    );
  }

  async function divertAll(lane: LaneKey, mails: readonly WaitingMail[]) {
    const turns = await turnsOf(lane, mails);
    const moves = new Map<string, number[]>();
    for (const { id, turn } of turns) {
      if (turn?.type !== 'moves') continue;
      const ids = moves.get(turn.to) ?? [];
      ids.push(id);
      moves.set(turn.to, ids);
    }
    if (moves.size > 0) {
      await store.sites.reroute(lane, moves);
      onMoved();
    }
    return { moves, unknown: turns.some(({ turn }) => turn?.type === 'asked' || turn?.type === 'trouble') };
  }

  async function lookThrough(lane: LaneKey, at: Looked): Promise<void> {
    const now = clock.now();
    if (now >= at.againAt) Object.assign(at, { after: undefined, unknown: false, againAt: now + ALL_AGAIN_MS });
    while (!stopping) {
      const mails = store.sites.unsorted({ lane, after: at.after, limit: PAGE, now });
      const last = mails.at(-1);
      if (last === undefined) return;
      const { unknown } = await divertAll(lane, mails);
      at.after = { dueAt: last.dueAt, id: last.id };
      if (unknown && !at.unknown) Object.assign(at, { unknown, againAt: now + UNKNOWN_AGAIN_MS });
      if (mails.length < PAGE) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async function lookThroughAll(): Promise<void> {
    await Promise.all([...looked].map(([lane, at]) => lookThrough(lane, at)));
  }

  function look(): void {
    looking ??= lookThroughAll()
      .catch((error: unknown) => log('error', { error: messageOf(error) }, 'mail could not be sorted by site'))
      .finally(() => {
        looking = undefined;
      });
  }

  return {
    async divert(lane, mails) {
      if (!siteWays.isAsked(lane.route)) return new Set();
      const { moves } = await divertAll(lane, mails);
      return new Set([...moves.values()].flat());
    },
    start() {
      stopping = false;
      if (lanes.length > 0) end = clock.every(LOOK_MS, look);
    },
    async stop() {
      stopping = true;
      end();
      await looking;
    },
  };
}
