import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import type { DeliveryRecord, MailRelay, MessageEvent } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';
import type { RemoteSmtp } from './smtp.ts';
import type { Seen } from './smtp-log.ts';

/** Everything a relay says about its deliveries. */
export interface Account {
  readonly deliveries: readonly DeliveryRecord[];
  /** Events of the deliveries, by recipient. */
  readonly events: ReadonlyMap<string, readonly MessageEvent[]>;
}

/** A relay on the same file that does not deliver, to ask it. */
export function readerOf(store: string): MailRelay {
  return relayWith({ store, queue: { deliver: false } });
}

/** Rows of a table, as the file says, to which nothing is done. */
export function countRows(store: string, table: string): number {
  const db = new DatabaseSync(store, { readOnly: true, timeout: 5000 });
  try {
    return Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
  } finally {
    db.close();
  }
}

/** Recipients of the deliveries that a process had in its hands: `sending`, as the file says. */
export function inFlight(store: string): string[] {
  const db = new DatabaseSync(store, { timeout: 5000 });
  try {
    return db
      .prepare('SELECT recipient FROM delivery WHERE owner IS NOT NULL')
      .all()
      .map((row) => String(row.recipient));
  } finally {
    db.close();
  }
}

/**
 * Recipients of the mails that processes have on their way, as one is killed: they are claimed, as the file says, and the server
 * has heard of them. Only these can arrive again.
 *
 * @param since - lines of the server's log before the process (or, of several, the first) began
 */
export function onTheWay(store: string, smtp: RemoteSmtp, since = 0): string[] {
  const held = new Set(inFlight(store));
  return [...new Set(recipientsOf(smtp.seen().slice(since), 'begun'))].filter((to) => held.has(to));
}

/** A process that was killed. */
interface Killed {
  /** Lines of the server's log before it began. */
  readonly since: number;
  readonly connections: number;
  /** Of its rate, where it had one. */
  readonly limit?: number;
}

/**
 * Most mails that a process can have on its way: those on its connections, and those whose results are not written. A batch of
 * results is written at a time, while the next one gathers; nothing is claimed meanwhile, so that each is of what the lanes of
 * the two streams had in memory: a tenth of the limit each, or what goes for 50 times on the connections.
 */
function mostOnTheWay({ connections, limit }: Killed): number {
  const depth = Math.min(connections * 50, Math.ceil((limit ?? Number.POSITIVE_INFINITY) / 10));
  return 2 * connections + 2 * 2 * depth;
}

/**
 * The same of one process alone. Each is on a connection, or among the last that were answered: results are written in batches,
 * one after another, in the order of the answers. How many these may be is bounded by a number as well.
 */
export function expectFewOnTheWay(store: string, smtp: RemoteSmtp, killed: Killed): string[] {
  const { since, connections } = killed;
  const begun = onTheWay(store, smtp, since);
  const held = new Set(begun);
  const answered = recipientsOf(smtp.seen().slice(since), 'answered');
  const open = begun.filter((to) => !answered.includes(to));
  expect(open.length, 'mails on connections').toBeLessThanOrEqual(connections);
  const unwritten = answered.findIndex((to) => held.has(to));
  const overtook = unwritten < 0 ? [] : answered.slice(unwritten).filter((to) => !held.has(to));
  expect(overtook.length, 'results that were written before those of earlier answers').toBeLessThanOrEqual(connections);
  expect(begun.length, 'mails on their way').toBeLessThanOrEqual(mostOnTheWay(killed));
  return begun;
}

function recipientsOf(lines: readonly Seen[], what: Seen['what']): string[] {
  return lines.filter((line) => line.what === what).map(({ to }) => to);
}

/** All deliveries, with all events. */
export async function accountOf(relay: MailRelay): Promise<Account> {
  const deliveries: DeliveryRecord[] = [];
  for (let after: string | undefined; ; ) {
    const page = await relay.messages.list({ limit: 1000, ...(after === undefined ? {} : { after }) });
    deliveries.push(...page.items);
    after = page.next;
    if (after === undefined) break;
  }
  const events = new Map<string, readonly MessageEvent[]>();
  for (const { id, recipient } of deliveries) {
    const record = await relay.messages.get(id);
    events.set(recipient, [...(events.get(recipient) ?? []), ...(record?.events ?? [])]);
  }
  return { deliveries, events };
}

/** How often each recipient's mail arrived in full. */
export function arrivals(smtp: RemoteSmtp): Map<string, number> {
  return countBy(smtp.of('taken').map(({ to }) => to));
}

/** How often each of the words comes. */
export function countBy(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** Nothing is lost, nothing is invented, and each mail has one Message-ID of its own, however often it arrives. */
export function expectAllArrived(smtp: RemoteSmtp, people: readonly string[]): void {
  const taken = smtp.of('taken');
  expect([...arrivals(smtp).keys()].sort()).toEqual([...people].sort());
  const pairs = new Set(taken.map(({ to, messageId }) => `${to} ${messageId}`));
  expect(pairs.size, 'a recipient got one mail under two Message-IDs').toBe(people.length);
  expect(new Set(taken.map(({ messageId }) => messageId)).size).toBe(people.length);
}

/**
 * No mail arrives again that was not in flight when a process ended or a server failed.
 *
 * @param allowed - how many more times each recipient's mail may have arrived.
 * @returns how many arrived again.
 */
export function expectDuplicatesWithin(smtp: RemoteSmtp, allowed: ReadonlyMap<string, number>): number {
  const repeated = [...arrivals(smtp)].filter(([, times]) => times > 1);
  const beyond = repeated.filter(([to, times]) => times - 1 > (allowed.get(to) ?? 0));
  expect(beyond).toEqual([]);
  return repeated.reduce((sum, [, times]) => sum + times - 1, 0);
}

/**
 * What the reports must say, and say, of the campaign, of all mail, and by stream and route: everybody got the mail, and nothing else happened than the events tell.
 *
 * @param refused - those of the people whom the server refused for good: their mail bounced instead
 */
export async function expectReportIsTrue(
  relay: MailRelay,
  campaign: string,
  people: number,
  refused: readonly string[] = [],
): Promise<Account> {
  const account = await accountOf(relay);
  const types = [...account.events.values()].flat().map(({ type }) => type);
  const deferred = types.filter((type) => type === 'deferred').length;
  const everDeferred = [...account.events.values()].filter((events) => events.some(({ type }) => type === 'deferred'));
  const unsent = account.deliveries.filter(({ state }) => state !== 'sent');
  expect(unsent.map(({ recipient, state }) => `${recipient} ${state}`).sort()).toEqual(
    refused.map((to) => `${to} bounced`).sort(),
  );
  expect(types.filter((type) => type === 'sent')).toHaveLength(people - refused.length);
  expect(types.filter((type) => type === 'bounced')).toHaveLength(refused.length);
  const outcomes = {
    sent: people - refused.length,
    tried: people,
    deferrals: deferred,
    deferred: everDeferred.length,
    bounced: refused.length,
    failed: 0,
  };
  const figures = { ...outcomes, accepted: people, pending: 0, suppressed: 0, cancelled: 0 };
  expect(await relay.reports.campaign(campaign)).toMatchObject(figures);
  // There is no other mail in the file.
  expect(await relay.reports.summary()).toMatchObject(figures);
  for (const by of ['stream', 'route'] as const) {
    const { total, rows } = await relay.reports.by(by);
    expect(total).toMatchObject(outcomes);
    expect(rows).toMatchObject(statesBy(account.deliveries, by));
  }
  return account;
}

/** How often an attempt for each recipient ended with nobody knowing. */
export function unansweredOf({ events }: Account): Map<string, number> {
  const unanswered = (event: MessageEvent): boolean =>
    event.type === 'deferred' && /^(?:unknown|timeout|network)$/.test(event.reason);
  return new Map([...events].map(([to, all]) => [to, all.filter(unanswered).length]));
}

/** Each mail was deferred as often as the server said so, where it said nothing else; but for attempts that had no answer. */
export function expectDeferralsAreTrue(smtp: RemoteSmtp, account: Account): void {
  const unanswered = unansweredOf(account);
  const clear = [...account.events].filter(([to]) => unanswered.get(to) === 0);
  const said = countBy(smtp.of('later').map(({ to }) => to));
  const deferred = clear.map(([to, events]) => [to, events.filter(({ type }) => type === 'deferred').length]);
  expect(said.size, 'recipients that were to come again').toBeGreaterThan(0);
  expect(deferred).toEqual(clear.map(([to]) => [to, said.get(to) ?? 0]));
}

/** What a report by stream or route must say of deliveries that are over. */
function statesBy(deliveries: readonly DeliveryRecord[], by: 'stream' | 'route'): object[] {
  const groups = Map.groupBy(deliveries, (delivery) => delivery[by]);
  return [...groups]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, all]) => {
      const count = (state: DeliveryRecord['state']): number =>
        all.filter((delivery) => delivery.state === state).length;
      return { name, tried: all.length, sent: count('sent'), bounced: count('bounced') };
    });
}
