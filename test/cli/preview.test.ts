import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '@mailrelay/cli';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { command, folderWith, mjml } from './support.ts';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
];
const installed = existsSync(CHROMIUM);
if (!installed)
  console.warn(`SKIPPED: no Chromium at ${CHROMIUM}; install it (apt-get install chromium) or set CHROMIUM_PATH`);

const files = {
  'welcome.mjml': mjml('Welcome, {{name}}', '<mj-text>Hello {{name}}<script>top.hacked = 1</script></mj-text>'),
  'welcome.fr.mjml': mjml('Bienvenue', '<mj-text>Bonjour {{name}}</mj-text>'),
  'welcome.data.json': '{"name":"Ada & Co"}',
  'order.mjml': mjml('Order', '<mj-text>{{number}}</mj-text>'),
};

/** A preview of a folder until the test ends. */
async function preview(folder: string): Promise<string> {
  const stopping = new AbortController();
  const { promise: url, resolve } = Promise.withResolvers<string>();
  const ended = run(['templates', 'preview', folder, '--port', '0'], {
    print: (text) => resolve(/http:\S+/.exec(text)?.[0] ?? ''),
    complain: (text) => console.error(text),
    stop: stopping.signal,
  });
  onTestFinished(async () => {
    stopping.abort();
    expect(await ended).toBe(0);
  });
  return url;
}

describe('templates preview', () => {
  it('serves each template and language as HTML and text', async () => {
    const url = await preview(folderWith(files));
    const text = async (path: string) => (await fetch(url + path)).text();
    expect(await text('html?name=welcome')).toContain('Hello Ada &amp; Co');
    expect(await text('text?name=welcome&locale=fr')).toContain('Bonjour Ada & Co');
    expect(await text('html?name=order')).toContain('number');
    expect((await fetch(`${url}html?name=welcome`)).headers.get('content-security-policy')).toMatch(/^sandbox;/);
    expect((await fetch(`${url}favicon.ico`)).status).toBe(404);
  });

  it('answers to the names of this machine alone', async () => {
    const url = new URL(await preview(folderWith(files)));
    const { request } = await import('node:http');
    const status = await new Promise((resolve) => {
      request(url, { headers: { Host: 'evil.example' } }, (response) => resolve(response.resume().statusCode)).end();
    });
    expect(status).toBe(403);
  });

  it('does not begin with templates that do not compile', async () => {
    const folder = folderWith({ 'bad.mjml': mjml('x', '<mj-text>{{#if a}}</mj-text>') });
    expect(await command('templates', 'preview', folder, '--port', '0')).toMatchObject({
      code: 1,
      complaints: expect.stringContaining('bad.mjml'),
    });
  });
});

describe.skipIf(!installed)('the preview in a real browser', { timeout: 60_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  }, 60_000);
  afterAll(() => browser?.close());

  async function open(url: string): Promise<Page> {
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(url);
    return page;
  }

  it('shows the mail, at the width of a desktop and of a phone', async () => {
    const page = await open(await preview(folderWith(files)));
    await page.getByRole('link', { name: 'welcome', exact: true }).click();
    expect(await page.locator('header').getByText('Welcome, Ada & Co').count()).toBe(1);
    const mail = page.frameLocator('iframe');
    await mail.getByText('Hello Ada & Co').waitFor();
    const width = async () => (await page.locator('iframe').boundingBox())?.width ?? 0;
    expect(await width()).toBeGreaterThan(600);
    await page.getByRole('link', { name: 'Phone' }).click();
    await mail.getByText('Hello Ada & Co').waitFor();
    expect(await width()).toBeLessThan(400);
    await page.getByRole('link', { name: 'welcome.fr' }).click();
    await mail.getByText('Bonjour').waitFor();
    expect(await width()).toBeLessThan(400);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
  });

  it('reloads when a file changes, and shows what is wrong with it', async () => {
    const folder = folderWith(files);
    const page = await open(`${await preview(folder)}?name=order`);
    const mail = page.frameLocator('iframe');
    await mail.getByText('number').waitFor();
    writeFileSync(join(folder, 'order.mjml'), mjml('Order', '<mj-text>Number: {{number}}!</mj-text>'));
    await mail.getByText('Number: number!').waitFor();
    writeFileSync(join(folder, 'order.mjml'), mjml('Order', '<mj-text>{{#if a}}</mj-text>'));
    await page.getByRole('alert').getByText('{{#if a}} is not closed').waitFor();
    await mail.getByText('Number: number!').waitFor();
    writeFileSync(join(folder, 'order.mjml'), mjml('Order', '<mj-text>Mended</mj-text>'));
    await mail.getByText('Mended').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });
});
