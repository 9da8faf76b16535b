import { linksOf, type ReadableMail } from './mail.ts';
import { type Plan, random } from './people.ts';

/** What one reader did, and what went wrong on the way. */
export interface Reading {
  readonly plan: Plan;
  readonly mail: ReadableMail;
  /** How often the pixel was fetched. */
  readonly opens: number;
  /** Where the links led that were followed. */
  readonly clicks: readonly string[];
  readonly unsubscribed: boolean;
  /** Links that led elsewhere than the template says, answers that were not as they should be. */
  readonly problems: readonly string[];
}

/** Reads one mail as the plan says. `untracked` is the same mail as the template alone makes it. */
export async function read(mail: ReadableMail, plan: Plan, untracked: string, seed: number): Promise<Reading> {
  const headers = { 'user-agent': plan.program.userAgent };
  const problems: string[] = [];
  const expect = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(`${mail.to}: ${problem}`);
  };

  let opens = 0;
  for (; opens < plan.opens; opens += 1) {
    const response = await fetch(mail.pixel ?? '', { headers });
    const type = response.headers.get('content-type');
    expect(response.status === 200 && type === 'image/gif', `the pixel answered ${response.status} ${type}`);
    await response.arrayBuffer();
  }

  const originals = linksOf(untracked);
  expect(originals.length === mail.links.length, `${mail.links.length} links, the template has ${originals.length}`);
  const tracked = mail.links.flatMap((link, place) => (link.includes('/mail/c/') ? [{ link, place }] : []));
  expect(tracked.length >= 20, `only ${tracked.length} links are tracked`);
  for (const [place, link] of mail.links.entries()) {
    const original = originals[place] ?? '';
    if (/\/mail\/[uv]\//.test(link)) continue; // unsubscribe and view in browser are the relay's own
    const follows = original.startsWith('https://') && !original.endsWith('/privacy');
    expect(follows ? link.includes('/mail/c/') : link === original, `${original} became ${link}`);
  }

  const clicks: string[] = [];
  for (const { link, place } of pick(tracked, plan.clicks, seed)) {
    const response = await fetch(link, { headers, redirect: 'manual' });
    const target = response.headers.get('location') ?? '';
    expect(response.status === 302, `a link answered ${response.status}`);
    expect(target === originals[place], `a link led to ${target}, the template says ${originals[place]}`);
    clicks.push(target);
  }

  if (plan.unsubscribes) {
    const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' });
    const response = await fetch(mail.oneClick ?? '', { method: 'POST', body, headers });
    expect(response.status === 200, `the unsubscribe link answered ${response.status}`);
    await response.arrayBuffer();
  }
  return { plan, mail, opens, clicks, unsubscribed: plan.unsubscribes, problems };
}

/** Some of a list, each at most once. */
function pick<T>(list: readonly T[], count: number, seed: number): T[] {
  const dice = random(seed + 77_777);
  const rest = [...list];
  return Array.from({ length: Math.min(count, rest.length) }, () =>
    rest.splice(Math.floor(dice() * rest.length), 1),
  ).flat();
}

/** Works on a list, some items at once. */
export async function inParallel<T>(
  list: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const items = list.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of items) await work(item);
    }),
  );
}
