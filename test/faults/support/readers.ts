import { request } from 'node:http';
import { expect } from 'vitest';
import type { Figures, OutcomeFigures } from '../../../packages/core/src/index.ts';
import { BROWSER } from './browser.ts';
import { between, random } from './form.ts';
import type { Seen } from './smtp-log.ts';

/** What was done with the mails of one campaign, of which everybody got one: its report has to say it. */
export interface Deeds {
  readonly accepted: Set<string>;
  readonly suppressed: Set<string>;
  /** How often each did. */
  readonly opens: Map<string, number>;
  readonly clicks: Map<string, number>;
  readonly unsubscribed: Set<string>;
}

/** Nothing yet. */
export function noDeeds(): Deeds {
  return {
    accepted: new Set(),
    suppressed: new Set(),
    opens: new Map(),
    clicks: new Map(),
    unsubscribed: new Set(),
  };
}

/** How many opens, clicks and so on these were, of those whom it is about. */
export function countsOf(all: readonly Deeds[], about: (to: string) => boolean = () => true) {
  const size = (of: (deeds: Deeds) => Iterable<string>): number =>
    all.reduce((sum, deeds) => sum + [...of(deeds)].filter(about).length, 0);
  const times = (of: (deeds: Deeds) => Map<string, number>): number =>
    all.flatMap((deeds) => [...of(deeds)].filter(([to]) => about(to))).reduce((sum, [, n]) => sum + n, 0);
  const suppressed = size((deeds) => deeds.suppressed);
  const accepted = size((deeds) => deeds.accepted);
  return {
    accepted,
    suppressed,
    sent: accepted - suppressed,
    opens: { unique: size((deeds) => deeds.opens.keys()), total: times((deeds) => deeds.opens) },
    clicks: { unique: size((deeds) => deeds.clicks.keys()), total: times((deeds) => deeds.clicks) },
    unsubscribed: size((deeds) => deeds.unsubscribed),
  };
}

/** The same as reports say it of mail on its way. */
export function outcomesOf(all: readonly Deeds[], about?: (to: string) => boolean): object {
  const { sent, opens, clicks, unsubscribed } = countsOf(all, about);
  return {
    tried: sent,
    sent,
    deferrals: 0,
    bounced: 0,
    failed: 0,
    returned: 0,
    complained: 0,
    // Clicks are within seconds of the sending here, which machines do; who clicked is tested elsewhere.
    opens: { ...opens, human: opens },
    clicks,
    unsubscribed,
    resubscribed: 0,
  } satisfies Partial<Record<keyof OutcomeFigures, unknown>>;
}

/** The same as the report of a campaign, or of some days, says it. */
export function figuresOf(all: readonly Deeds[]): object {
  const { accepted, suppressed } = countsOf(all);
  const rest = { accepted, suppressed, pending: 0, cancelled: 0 };
  return { ...outcomesOf(all), ...rest } satisfies Partial<Record<keyof Figures, unknown>>;
}

/** People who got these mails open some, click in some, and unsubscribe by some; all of it is written into the deeds. */
export async function readMails(mails: readonly Seen[], deeds: Deeds, leave: (to: string) => boolean): Promise<void> {
  const AT_ONCE = 8;
  for (let at = 0; at < mails.length; at += AT_ONCE) {
    await Promise.all(mails.slice(at, at + AT_ONCE).map((mail) => readMail(mail, deeds, leave)));
  }
}

async function readMail({ to, links }: Seen, deeds: Deeds, leave: (to: string) => boolean): Promise<void> {
  const of = (kind: string): string[] => links.filter((link) => link.includes(`/mail/${kind}/`));
  for (const pixel of random() < 0.6 ? of('o') : []) {
    for (let times = between(1, 2); times > 0; times--) {
      expect(await ask('GET', pixel)).toBe(200);
      deeds.opens.set(to, (deeds.opens.get(to) ?? 0) + 1);
    }
  }
  for (const link of random() < 0.3 ? of('c') : []) {
    if (random() < 0.5) continue;
    expect(await ask('GET', link)).toBe(302);
    deeds.clicks.set(to, (deeds.clicks.get(to) ?? 0) + 1);
  }
  const [unsubscribe] = of('u');
  if (unsubscribe === undefined || !leave(to)) return;
  expect(await ask('POST', unsubscribe, 'List-Unsubscribe=One-Click')).toBe(200);
  deeds.unsubscribed.add(to);
}

/** The status of the answer; on a connection of its own, which is closed. */
function ask(method: string, url: string, body?: string): Promise<number> {
  const headers = { 'User-Agent': BROWSER, 'Content-Type': 'application/x-www-form-urlencoded' };
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    asked.setTimeout(20_000, () => asked.destroy(new Error(`no answer from ${url}`)));
    asked.on('error', reject);
    asked.end(body);
  });
}
