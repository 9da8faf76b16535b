import type { CampaignReport } from '@mailrelay/core';
import type { Accepted } from './campaign.ts';
import type { Reading } from './readers.ts';
import type { Mailbox, World } from './world.ts';

/** One figure of the relay beside what the world saw. */
export interface Check {
  readonly name: string;
  readonly holds: boolean;
  /** What was found, and what was expected where it differs. */
  readonly detail: string;
}

/** Lines of recipients.csv that must not be accepted: two that are no addresses, three that repeat an earlier line. */
const BAD_LINES: ReadonlyMap<number, string> = new Map([
  [37, 'ADDRESS_INVALID'],
  [51, 'RECIPIENT_DUPLICATE'],
  [377, 'RECIPIENT_DUPLICATE'],
  [518, 'ADDRESS_INVALID'],
  [902, 'RECIPIENT_DUPLICATE'],
]);

/** A figure must be the one that was counted elsewhere. */
export function same(name: string, found: unknown, expected: unknown): Check {
  const [have, want] = [JSON.stringify(found), JSON.stringify(expected)];
  return { name, holds: have === want, detail: have === want ? have : `${have}, expected ${want}` };
}

/** Something must hold. */
export function holds(name: string, condition: boolean, detail: string): Check {
  return { name, holds: condition, detail };
}

/** Each line of the file was accepted, or rejected for its own reason. */
export function checkList(list: Accepted, count: number): Check[] {
  const expected = [...BAD_LINES].filter(([line]) => line <= count + 1);
  const found = [...list.rejected].sort((one, other) => one.line - other.line).map(({ line, code }) => [line, code]);
  return [
    same('accepted lines', list.accepted, count - expected.length),
    same('rejected lines, each with its reason', found, expected),
  ];
}

/** What was sent, against what arrived. */
export function checkDeliveries(
  report: CampaignReport,
  list: Accepted,
  world: World,
  own: ReadonlySet<string>,
): Check[] {
  const mailboxes = [...world.mailboxes].filter(([address]) => !own.has(address)).map(([, mailbox]) => mailbox);
  const number = (condition: (mailbox: Mailbox) => boolean): number => mailboxes.filter(condition).length;
  const twice = number(({ mails }) => mails.length > 1);
  return [
    same('accepted, as the report has it', report.accepted, list.accepted),
    same('mailboxes that the world knows', mailboxes.length, list.accepted),
    same(
      'sent',
      report.sent,
      number(({ mails }) => mails.length > 0),
    ),
    same('mailboxes with more than one mail', twice, 0),
    same(
      'deferred',
      report.deferred,
      number(({ fate }) => fate === 'busy-at-first' || fate === 'hangs-up-at-first'),
    ),
    same(
      'attempts that were put off',
      report.deferrals,
      number(({ fate, attempts }) => fate !== 'accepts' && attempts > 1),
    ),
    same(
      'bounced',
      report.bounced,
      number(({ fate }) => fate === 'unknown-user'),
    ),
    same(
      'no second try where the mailbox does not exist',
      number(({ fate, attempts }) => fate === 'unknown-user' && attempts > 1),
      0,
    ),
    same('failed, and still waiting', [report.failed, report.pending], [0, 0]),
    ...mailboxes.filter(({ fate }) => fate === 'hangs-up-at-first').map(checkCut),
  ];
}

/** The mail whose connection broke came again as the same mail. */
function checkCut({ cut, mails }: Mailbox): Check {
  const idOf = (raw: Buffer | undefined) => /^message-id:\s*(<[^>]+>)/im.exec(raw?.toString('latin1') ?? '')?.[1];
  return same('Message-ID of the mail that broke off, when it came again', idOf(mails[0]), idOf(cut) ?? 'none');
}

/** No second had more attempts than allowed, by the relay's own record of each attempt and by the server's clock. */
export function checkRate(startedAt: readonly number[], arrivedAt: readonly number[], perSecond: number): Check[] {
  const arrived = mostWithin(arrivedAt, 1000 - DELAY_MS);
  const seconds = ((arrivedAt.at(-1) ?? 0) - (arrivedAt[0] ?? 0)) / 1000;
  const average = (arrivedAt.length - perSecond) / seconds;
  return [
    holds(
      'rate: most attempts that the relay began in any second',
      mostWithin(startedAt, 1000) <= perSecond,
      `${mostWithin(startedAt, 1000)} of ${perSecond}`,
    ),
    holds('rate: most that reached the server in any 0.8 s', arrived <= perSecond, `${arrived} of ${perSecond}`),
    holds(
      'rate: average at the server, after the first second',
      average <= perSecond,
      `${average.toFixed(1)} a second`,
    ),
  ];
}

/** On a busy machine one attempt may take this much longer to arrive than the next, ms. */
const DELAY_MS = 200;

/** The largest number of times within any window of this length. */
function mostWithin(times: readonly number[], windowMs: number): number {
  const sorted = [...times].sort((one, other) => one - other);
  let start = 0;
  return sorted.reduce((most, at, end) => {
    while (at - (sorted[start] as number) >= windowMs) start += 1;
    return Math.max(most, end - start + 1);
  }, 0);
}

/** What readers did, against what the report says. */
export function checkReaders(report: CampaignReport, readings: readonly Reading[]): Check[] {
  const people = readings.filter(({ plan }) => plan.program.kind === 'person' || plan.program.kind === 'image-proxy');
  const sum = (list: readonly Reading[], of: (reading: Reading) => number): number =>
    list.reduce((total, one) => total + of(one), 0);
  const count = (list: readonly Reading[], of: (reading: Reading) => number) => ({
    unique: list.filter((reading) => of(reading) > 0).length,
    total: sum(list, of),
  });
  const expected = (of: (reading: Reading) => number) => ({ ...count(readings, of), human: count(people, of) });
  const opens = expected(({ opens: times }) => times);
  const clicks = expected(({ clicks: targets }) => targets.length);
  const unsubscribed = sum(readings, (reading) => (reading.unsubscribed ? 1 : 0));
  const share = (part: number, whole: number): number => Math.round((part / whole) * 1e6) / 1e6;
  const { sent, bounced, rates } = report;
  const found = [rates.delivery, rates.bounce, rates.open, rates.click, rates.clickToOpen, rates.unsubscribe];
  return [
    same('opens, with and without machines', report.opens, opens),
    same('clicks, with and without machines', report.clicks, clicks),
    same('unsubscribed', report.unsubscribed, unsubscribed),
    same(
      'rates: delivery, bounce, open, click, click to open, unsubscribe',
      found.map((rate) => share(rate ?? 0, 1)),
      [
        share(sent, sent + bounced),
        share(bounced, sent + bounced),
        share(opens.human.unique, sent),
        share(clicks.human.unique, sent),
        share(clicks.human.unique, opens.human.unique),
        share(unsubscribed, sent),
      ],
    ),
    ...checkLinks(report, readings),
  ];
}

/** The most clicked links of the report, at most 50, each with its readers and clicks. */
function checkLinks(report: CampaignReport, readings: readonly Reading[]): Check[] {
  const expected = new Map<string, { readers: Set<Reading>; total: number }>();
  for (const reading of readings) {
    for (const target of reading.clicks) {
      const link = expected.get(formOf(target)) ?? { readers: new Set(), total: 0 };
      link.readers.add(reading);
      link.total += 1;
      expected.set(formOf(target), link);
    }
  }
  const wrong = report.links.filter(({ url, unique, total }) => {
    const link = expected.get(url);
    return link?.readers.size !== unique || link.total !== total;
  });
  const found = { links: report.links.length, wrong: wrong.map(({ url, unique, total }) => [url, unique, total]) };
  return [same('links, with the readers and clicks of each', found, { links: Math.min(50, expected.size), wrong: [] })];
}

/** Everybody has another account, so the report has one line for all of them: what stands in the template. */
function formOf(target: string): string {
  return target.replace(/(?<=\/account\/)[^/]+(?=\/orders)/, '{{customerId}}');
}
