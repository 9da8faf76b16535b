import { describe, expect, it } from 'vitest';
import type { MailRelay } from '../../../packages/core/src/index.ts';
import { toNodeHandler } from '../../../packages/core/src/node/index.ts';
import { capturedMails, relayWith } from '../../support/relay.ts';
import { installed, useBrowser } from './chromium.ts';
import { serve } from './support.ts';

/** A relay on a port of its own, with its inbox. */
async function inbox(): Promise<{ readonly relay: MailRelay; readonly url: string }> {
  const relay = relayWith();
  const { url } = await serve(toNodeHandler(relay));
  return { relay, url: `${url}/mail/` };
}

const message = {
  to: ['Ada Lovelace <ada@example.com>', 'charles@example.com'],
  cc: 'Grace Hopper <grace@example.com>',
  bcc: 'archive@example.com',
  subject: 'The plan for spring, and what comes of it in the gardens behind the house',
  text: 'See you there.',
  html: '<h1>Spring</h1><p>See you there.</p>',
};

/** Whether the page is as wide as the window, and no cell so narrow that words fall apart. */
const LAYOUT = `(() => {
  const narrow = [...document.querySelectorAll('td, th')].filter((cell) => cell.offsetWidth > 0 && cell.offsetWidth < 60);
  return { overflow: document.documentElement.scrollWidth - innerWidth, narrow: narrow.map((cell) => cell.textContent) };
})()`;

describe.skipIf(!installed)('the development inbox of a relay, in a real browser', { timeout: 60_000 }, () => {
  const open = useBrowser();

  it('says what to do while there is no mail', async () => {
    const { url } = await inbox();
    const { page } = await open(url);
    expect(await page.locator('.empty').textContent()).toMatch(/No mail yet[\s\S]*relay\.send/);
  });

  it('shows the copies of a message in one row, and whom each went to', async () => {
    const { relay, url } = await inbox();
    await relay.send(message);
    await capturedMails(relay, 4);
    const { page, problems } = await open(url);
    expect(await page.locator('tbody tr').count()).toBe(1);
    expect(await page.locator('tbody tr').textContent()).toContain('4 copies');
    expect(await page.locator('tbody tr div').allTextContents()).toEqual([
      'Ada Lovelace <ada@example.com>',
      'charles@example.com',
      'Cc Grace Hopper <grace@example.com>',
      'Bcc archive@example.com',
    ]);
    await page.getByRole('link', { name: 'archive@example.com' }).click();
    expect(await page.locator('tr', { hasText: 'Delivered to' }).locator('td').textContent()).toBe(
      'archive@example.com Bcc',
    );
    expect(problems.filter((text) => !text.includes('favicon'))).toEqual([]);
  });

  it('finds mail by recipient, also by that of a blind copy, and by subject', async () => {
    const { relay, url } = await inbox();
    await relay.send(message);
    await relay.send({ to: 'mary@example.com', subject: 'Été & hiver', text: 'x' });
    await capturedMails(relay, 5);
    const { page } = await open(url);
    await page.getByRole('link', { name: 'Search' }).click();
    const found = async (words: string) => {
      await page.getByRole('searchbox').fill(words);
      await page.getByRole('button', { name: 'Search' }).click();
      return page.locator('tbody tr .subject a').allTextContents();
    };
    expect(await found('ARCHIVE@')).toEqual([message.subject]);
    expect(await found('été & h')).toEqual(['Été & hiver']);
    expect(await found('<nobody>')).toEqual([]);
    expect(await page.locator('.empty').textContent()).toContain('“<nobody>”');
    await page.getByRole('link', { name: 'Show all' }).click();
    expect(await page.locator('tbody tr').count()).toBe(2);
  });

  it('turns pages of 100 messages, to older and back to newer mail', async () => {
    const { relay, url } = await inbox();
    const people = Array.from({ length: 205 }, (_, index) => `reader${index}@example.com`);
    await relay.sendMany(people, { subject: 'News', text: 'x' });
    await expect.poll(async () => (await relay.messages.list({ state: 'sent', limit: 500 })).items.length).toBe(205);
    const { page } = await open(url);
    const shown = async () => (await page.locator('tbody tr').count()) as number;
    const turn = (name: string) => page.getByRole('link', { name, exact: true }).click();
    const first = await page.locator('tbody tr').first().textContent();
    expect([await shown(), await page.getByRole('link', { name: 'Newer' }).count()]).toEqual([100, 0]);
    await turn('Older');
    expect(await shown()).toBe(100);
    await turn('Older');
    expect([await shown(), await page.getByRole('link', { name: 'Older' }).count()]).toEqual([5, 0]);
    await turn('Newer');
    await turn('Newer');
    expect(await page.locator('tbody tr').first().textContent()).toBe(first);
  });

  it('clears everything with its button, and for no other site', async () => {
    const { relay, url } = await inbox();
    await relay.send(message);
    await capturedMails(relay, 4);
    const clear = (headers: Record<string, string>) =>
      fetch(`${url}inbox/clear`, { method: 'POST', headers, redirect: 'manual' }).then(({ status }) => status);
    expect(await clear({})).toBe(403);
    expect(await clear({ origin: 'null' })).toBe(403);
    expect(await clear({ origin: 'https://evil.example' })).toBe(403);
    expect(await clear({ origin: new URL(url).origin, 'sec-fetch-site': 'same-site' })).toBe(403);
    expect((await fetch(`${url}inbox/clear`)).status).toBe(405);
    const { page, problems } = await open(url);
    expect(await page.locator('tbody tr').count()).toBe(1);
    await page.getByRole('button', { name: 'Clear all' }).click();
    await page.locator('.empty').waitFor();
    expect(page.url()).toBe(url);
    expect(problems.filter((text) => !text.includes('favicon'))).toEqual([]);
    await relay.send({ to: 'mary@example.com', subject: 'Later', text: 'x' });
    await capturedMails(relay, 1);
    expect(await clear({ origin: new URL(url).origin })).toBe(303);
  });

  it.each([
    ['a telephone, by day', 390, 'light', 'rgb(29, 35, 48)'],
    ['a telephone, at night', 390, 'dark', 'rgb(232, 234, 240)'],
    ['a desk, by day', 1280, 'light', 'rgb(29, 35, 48)'],
  ] as const)('fits on %s', async (_, width, colorScheme, color) => {
    const { relay, url } = await inbox();
    await relay.send({ ...message, headers: { 'X-Long': 'word '.repeat(40), 'X-Wide': 'x'.repeat(300) } });
    await relay.send({ to: 'mary@example.com', subject: 'Short', text: 'x' });
    await capturedMails(relay, 5);
    const { page } = await open(url, { viewport: { width, height: 800 }, colorScheme });
    const shot = async (name: string) => {
      const folder = process.env.MAIL_RELAY_SHOTS;
      if (folder) await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png` });
      expect(await page.evaluate(LAYOUT), name).toEqual({ overflow: 0, narrow: [] });
    };
    await shot('list');
    expect(await page.evaluate('getComputedStyle(document.body).color')).toBe(color);
    await page.getByRole('link', { name: 'ada@example.com' }).click();
    await shot('html');
    await page.getByRole('link', { name: 'Headers' }).click();
    await shot('headers');
    await page.goto(`${url}?q=nobody`);
    await shot('search');
    await page.goto(url);
    await page.getByRole('button', { name: 'Clear all' }).click();
    await page.locator('.empty').waitFor();
    await shot('empty');
  });
});
