import type { Selectable } from 'kysely';
import type { RateRule } from '../../alert-options.ts';
import { ALERT_KINDS, type Alert, type AlertKind } from '../../alerts.ts';
import type { AlertStore } from '../alert-port.ts';
import type { Database } from './database.ts';
import { STREAMS } from './ledger-facts.ts';
import type { Notices } from './notices.ts';
import { SLOT_MS } from './pulses.ts';
import type { Tables } from './tables.ts';

type Row = Selectable<Tables['alert']>;
interface Pulse {
  readonly tried: number;
  readonly sent: number;
  readonly hard: number;
  readonly complained: number;
}

/** An alert is over when its rate is under this part of the threshold, or its window has less than this part of the volume. */
const CALM = 0.8;
const FEW = 0.5;
/** Alerts that are shown. */
const SHOWN = 100;

/** Alerts in SQLite. */
export function createAlertStore(db: Database, notices: Notices): AlertStore {
  const window = db.prepare((query, p: { first: number }) =>
    query
      .selectFrom('pulse')
      .select((row) => [
        'scope',
        row.fn.sum<number>('tried').as('tried'),
        row.fn.sum<number>('sent').as('sent'),
        row.fn.sum<number>('hard').as('hard'),
        row.fn.sum<number>('complained').as('complained'),
      ])
      .where('slot', '>=', p.first)
      .groupBy('scope'),
  );
  const all = db.prepare((query) =>
    query.selectFrom('alert').selectAll().orderBy('since', 'desc').orderBy('id', 'desc'),
  );
  const insert = db.prepare((query, p: Omit<Row, 'id'>) =>
    query.insertInto('alert').values({
      scope: p.scope,
      kind: p.kind,
      threshold: p.threshold,
      since: p.since,
      n: p.n,
      total: p.total,
      window_ms: p.window_ms,
    }),
  );
  const remove = db.prepare((query, { id }: { id: number }) => query.deleteFrom('alert').where('id', '=', id));
  const campaignOf = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('campaign').select('name').where('id', '=', id),
  );

  function view(row: Row, state: Alert['state'], at: number): Alert {
    return {
      id: `alr_${row.id.toString(36)}`,
      state,
      kind: ALERT_KINDS[row.kind] ?? 'hard-bounce-rate',
      threshold: row.threshold,
      rate: row.total === 0 ? 0 : row.n / row.total,
      count: row.n,
      of: row.total,
      stream: row.scope < 0 ? STREAMS[-1 - row.scope] : undefined,
      campaign: row.scope < 0 ? undefined : campaignOf.get({ id: row.scope })?.name,
      windowMs: row.window_ms,
      since: new Date(row.since),
      at: new Date(at),
    };
  }

  function raise(scope: number, pulse: Pulse, rule: RateRule, known: ReadonlySet<string>, options: Looked): Alert[] {
    const [n, total] = shareOf(rule.kind, pulse);
    const kind = ALERT_KINDS.indexOf(rule.kind);
    return rule.thresholds
      .filter((threshold) => total >= rule.minVolume && n > threshold * total)
      .filter((threshold) => !known.has(keyOf({ scope, kind, threshold })))
      .sort((one, other) => one - other)
      .map((threshold) => {
        const row = { scope, kind, threshold, since: options.now, n, total, window_ms: options.windowMs };
        return view({ ...row, id: insert.insert(row) }, 'raised', options.now);
      });
  }

  function resolve(row: Row, pulses: ReadonlyMap<number, Pulse>, { now, windowMs, rules }: Looked): Alert[] {
    const kind = ALERT_KINDS[row.kind];
    const pulse = pulses.get(row.scope);
    const [n, total] = kind === undefined || pulse === undefined ? [0, 0] : shareOf(kind, pulse);
    const least = rules.find((rule) => rule.kind === kind)?.minVolume ?? 1;
    if (n >= row.threshold * CALM * total && total > 0 && total >= least * FEW) return [];
    remove.run({ id: row.id });
    return [view({ ...row, n, total, window_ms: windowMs }, 'resolved', now)];
  }

  return {
    check: (options) =>
      db.write(() => {
        const first = Math.floor((options.now - options.windowMs) / SLOT_MS) + 1;
        const pulses = new Map(window.all({ first }).map(({ scope, ...pulse }) => [scope, pulse]));
        const rows = all.all({});
        const known = new Set(rows.map(keyOf));
        const changed = [
          ...rows.flatMap((row) => resolve(row, pulses, options)),
          ...[...pulses].flatMap(([scope, pulse]) =>
            options.rules.flatMap((rule) => raise(scope, pulse, rule, known, options)),
          ),
        ];
        notices.alert(changed, options.now);
        return changed;
      }),
    open: () =>
      all
        .all({})
        .slice(0, SHOWN)
        .map((row) => view(row, 'raised', row.since)),
    untold: notices.untold,
    told: notices.told,
    warn: notices.warn,
  };
}

type Looked = Parameters<AlertStore['check']>[0];

function shareOf(kind: AlertKind, { tried, sent, hard, complained }: Pulse): readonly [n: number, total: number] {
  return kind === 'complaint-rate' ? [complained, sent] : [hard, tried];
}

function keyOf({ scope, kind, threshold }: Pick<Row, 'scope' | 'kind' | 'threshold'>): string {
  return `${scope} ${kind} ${threshold}`;
}
