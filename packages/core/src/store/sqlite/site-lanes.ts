import { sql } from 'kysely';
import { factorOf, isOver } from '../../lane-rule.ts';
import type { Stream } from '../../message.ts';
import type { LaneRule, Settlement, Shaped, SiteBounds, SiteStanding } from '../../queue/port.ts';
import type { Database } from './database.ts';
import type { Lanes } from './lanes.ts';
import { STREAMS } from './ledger.ts';
import type { RateLog } from './rates.ts';
import { createRunning } from './running.ts';
import { roomIn } from './site-room.ts';

/** A lane of a site as it is kept. */
export interface SiteLaneRow {
  readonly id: number;
  readonly route: string;
  readonly site: string;
  readonly stream: number;
  readonly paused: number;
  readonly ready_at: number | null;
  readonly held: number;
  readonly answers: number;
  readonly rule: string | null;
}

/** Keeps, for each lane of a site, when something in it may start: that is what makes it cheap to have many. Inside of `write`. */
export interface SiteLanes {
  /** This process's routes and their limits. What waits for sites of routes that have none goes back to where it came in. */
  shape(shaped: Shaped | undefined, routes: readonly string[], now: number): void;
  boundsOf(route: string, site: string): SiteBounds | undefined;
  /** Both lanes of a site. */
  of(route: string, site: string): readonly SiteLaneRow[];
  /** How many more a lane may hand out, by its bounds and its rule, without rates. */
  room(lane: SiteLaneRow, siblings: readonly SiteLaneRow[], now: number): number;
  /** Something was handed out; the lane is looked at again with {@link reschedule}. */
  held(lane: SiteLaneRow, n: number): void;
  /** A result is in; the lane is looked at again with {@link reschedule}. */
  settled(lane: number, settlement: Settlement): void;
  /** Something came into a lane, or may start anew. */
  touched(lane: number): void;
  /** Works out anew when the lanes may go on that something has happened to. */
  reschedule(now: number): void;
  /** Works everything out anew. */
  refresh(now: number): void;
  setRule(route: string, site: string, rule: LaneRule | undefined): void;
}

/** What has happened to a lane. */
interface Happened {
  /** What was handed out, without the results that are in. */
  readonly held: number;
  readonly answers: number | undefined;
  /** It had its turn. */
  readonly turn: boolean;
}

/** What a row keeps of it. */
const KEPT = ['ready_at', 'rule', 'held', 'answers'] as const;

const NOTHING: Happened = { held: 0, answers: undefined, turn: false };

/** Where the rate of a site is full with what is about to start, it is looked at again after this time, ms. */
const SOON_MS = 50;

/** Lanes of sites in SQLite. */
export function createSiteLanes(db: Database, lanes: Lanes, rates: RateLog): SiteLanes {
  let shape: Shaped | undefined;
  /** Lanes to which something has happened in this transaction. */
  const dirty = new Map<number, Happened>();
  db.onRollback(() => dirty.clear());

  const siblings = db.prepare((query, p: { route: string; site: string }) =>
    query.selectFrom('lane').selectAll().where('route', '=', p.route).where('site', '=', p.site),
  );
  const all = db.prepare((query) => query.selectFrom('lane').selectAll().where('site', '!=', ''));
  const put = db.prepare((query, p: Pick<SiteLaneRow, 'id' | 'ready_at' | 'rule' | 'held' | 'answers'>) =>
    query
      .updateTable('lane')
      .set({ ready_at: p.ready_at, rule: p.rule, held: p.held, answers: p.answers })
      .where('id', '=', p.id),
  );
  const addHeld = db.prepare((query, p: { id: number; n: number }) =>
    query
      .updateTable('lane')
      .set((row) => ({ held: row.fn<number>('max', [row('held', '+', p.n), row.lit(0)]) }))
      .where('id', '=', p.id),
  );
  const setRules = db.prepare((query, p: { route: string; site: string; rule: string | null }) =>
    query.updateTable('lane').set({ rule: p.rule }).where('route', '=', p.route).where('site', '=', p.site),
  );
  const countHeld = createRunning(db);
  const forgetHeld = db.prepare((query) => query.updateTable('lane').set({ held: 0 }).where('held', '!=', 0));
  const moveBack = db.prepare((query, p: { from: number; to: number }) =>
    query.updateTable('delivery').set({ lane_id: p.to }).where('lane_id', '=', p.from).where('due_at', 'is not', null),
  );
  const shut = db.prepare((query, { routes }: { routes: string }) =>
    query
      .updateTable('lane')
      .set({ ready_at: null, rule: null })
      .where('site', '!=', '')
      .where('route', 'in', sql<string>`(select value from json_each(${routes}))`),
  );

  const boundsOf = (route: string, site: string): SiteBounds | undefined => shape?.boundsOf(route, site);

  function room(lane: SiteLaneRow, both: readonly SiteLaneRow[], now: number): number {
    const bounds = boundsOf(lane.route, lane.site);
    if (bounds === undefined || lane.paused === 1) return 0;
    const factor = factorOf(ruleOf(lane), now);
    return roomIn(bounds, {
      answers: lane.answers === ANSWERS.answers,
      factor,
      transactional: lane.stream === STREAMS.indexOf('transactional'),
      held: both.reduce((sum, { held }) => sum + held, 0),
    });
  }

  /** When something in a lane may start; null where it waits for something else than time. */
  function readyAt(lane: SiteLaneRow, both: readonly SiteLaneRow[], now: number): number | null {
    const due = lane.paused === 1 ? undefined : lanes.dueAt(lane.id);
    if (due === undefined) return null;
    const rule = ruleOf(lane);
    const factor = factorOf(rule, now);
    if (rule !== undefined && factor === 0) return Math.max(due, rule.until);
    if (room(lane, both, now) < 1) return null;
    const key = { route: lane.route, site: lane.site, stream: STREAMS[lane.stream] as Stream };
    const full = due <= now && rates.allowed(key, now, factor) < 1 && rates.overflowsUntil(key, now) === undefined;
    if (full) return Math.max(now + SOON_MS, rates.nextSlotAt(key, now, factor) ?? 0);
    return Math.max(due, now);
  }

  /** One change of a lane, whatever has happened to it: this is done for each site of each batch. */
  function rescheduleSite(route: string, site: string, now: number, answers?: number): void {
    const stored = siblings.all({ route, site });
    const both = stored.map((lane) => ({
      ...lane,
      held: Math.max(0, lane.held + (dirty.get(lane.id)?.held ?? 0)),
      answers: answers ?? lane.answers,
    }));
    for (const [index, lane] of both.entries()) {
      const before = stored[index] as SiteLaneRow;
      const next = readyAt(lane, both, now);
      const hadTurn = dirty.get(lane.id)?.turn === true;
      // Who may go on keeps its place in the line; who had a turn, or comes anew, joins at its end.
      const waits = lane.ready_at !== null && next !== null && lane.ready_at <= now && next <= now && !hadTurn;
      const acting = ruleOf(lane);
      const rule = acting === undefined || isOver(acting, now) ? null : lane.rule;
      const after = { ...lane, ready_at: waits ? lane.ready_at : next, rule };
      if (KEPT.some((name) => after[name] !== before[name])) put.run(after);
    }
  }

  return {
    boundsOf,
    room,
    of: (route, site) => siblings.all({ route, site }),
    shape(shaped, routes, now) {
      shape = shaped;
      rates.onUnknown((key) => {
        const [route = '', site] = key.split('\t');
        return site === undefined ? undefined : boundsOf(route, site);
      });
      const plain = routes.filter((route) => boundsOf(route, '') === undefined);
      for (const lane of all.all({})) {
        const { route, stream } = lanes.keyOf(lane.id);
        if (plain.includes(route)) moveBack.run({ from: lane.id, to: lanes.idOf({ route, stream }) });
      }
      shut.run({ routes: JSON.stringify(plain) });
      if (shaped !== undefined) refresh(now);
    },
    held({ id }, n) {
      const before = dirty.get(id) ?? NOTHING;
      dirty.set(id, { ...before, held: before.held + n, turn: true });
    },
    settled(lane, settlement) {
      const before = dirty.get(lane) ?? NOTHING;
      dirty.set(lane, { ...before, held: before.held - 1, answers: answered(settlement) ?? before.answers });
    },
    touched(lane) {
      if (lanes.keyOf(lane).site !== '' && !dirty.has(lane)) dirty.set(lane, NOTHING);
    },
    reschedule(now) {
      if (dirty.size === 0) return;
      const changed = new Map<string, { route: string; site: string; answers: number | undefined }>();
      for (const [id, { answers }] of dirty) {
        const { route, site } = lanes.keyOf(id);
        const name = `${route}\t${site}`;
        changed.set(name, { route, site, answers: answers ?? changed.get(name)?.answers });
      }
      for (const { route, site, answers } of changed.values()) rescheduleSite(route, site, now, answers);
      dirty.clear();
    },
    refresh,
    setRule(route, site, rule) {
      setRules.run({ route, site, rule: rule === undefined ? null : JSON.stringify(rule) });
    },
  };

  function refresh(now: number): void {
    const held = new Map(countHeld().map(({ lane_id, n }) => [lane_id, n]));
    forgetHeld.run({});
    const sites = new Map<string, SiteLaneRow>();
    for (const lane of all.all({})) {
      const n = held.get(lane.id) ?? 0;
      if (n > 0) addHeld.run({ id: lane.id, n });
      sites.set(`${lane.route}\t${lane.site}`, lane);
    }
    for (const { route, site } of sites.values()) rescheduleSite(route, site, now);
  }
}

/** The rule that acts on a lane. */
export function ruleOf({ rule }: Pick<SiteLaneRow, 'rule'>): LaneRule | undefined {
  return rule === null ? undefined : (JSON.parse(rule) as LaneRule);
}

/** What is known of a site, as it is kept. */
export const ANSWERS: { readonly answers: 1; readonly unknown: 0; readonly failing: -1 } = {
  answers: 1,
  unknown: 0,
  failing: -1,
};

/** What is known of the site of a lane. */
export function standingOf({ answers }: Pick<SiteLaneRow, 'answers'>): SiteStanding {
  if (answers === ANSWERS.unknown) return 'unknown';
  return answers === ANSWERS.answers ? 'answers' : 'failing';
}

/** Whether a server of the site has answered; undefined where nobody asked. */
function answered({ result, transcript }: Settlement): number | undefined {
  if (result.type === 'sent') return ANSWERS.answers;
  if (transcript === undefined) return undefined;
  return transcript.steps.some(({ reply }) => /^\d{3}/.test(reply ?? '')) ? ANSWERS.answers : ANSWERS.failing;
}
