import { request } from 'node:http';
import { expect } from 'vitest';
import type { Figures } from '../../../packages/core/src/index.ts';
import { BROWSER } from './browser.ts';
import { between, random } from './form.ts';
import type { Seen } from './smtp-log.ts';

/** What was done with the mails of one campaign, which its report has to say. */
export interface Deeds {
  accepted: number;
  suppressed: number;
  opens: number;
  clicks: number;
  readonly opened: Set<string>;
  readonly clicked: Set<string>;
  readonly unsubscribed: Set<string>;
}

/** Nothing yet. */
export function noDeeds(): Deeds {
  const none = { accepted: 0, suppressed: 0, opens: 0, clicks: 0 };
  return { ...none, opened: new Set(), clicked: new Set(), unsubscribed: new Set() };
}

/** The same as a report says it. */
export function figuresOf(deeds: Deeds): object {
  const opens = { unique: deeds.opened.size, total: deeds.opens };
  return {
    accepted: deeds.accepted,
    sent: deeds.accepted - deeds.suppressed,
    suppressed: deeds.suppressed,
    pending: 0,
    bounced: 0,
    failed: 0,
    // Clicks are within seconds of the sending here, which machines do; who clicked is tested elsewhere.
    opens: { ...opens, human: opens },
    clicks: { unique: deeds.clicked.size, total: deeds.clicks },
    unsubscribed: deeds.unsubscribed.size,
  } satisfies Partial<Record<keyof Figures, unknown>>;
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
      deeds.opens += 1;
      deeds.opened.add(to);
    }
  }
  for (const link of random() < 0.3 ? of('c') : []) {
    if (random() < 0.5) continue;
    expect(await ask('GET', link)).toBe(302);
    deeds.clicks += 1;
    deeds.clicked.add(to);
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
