import { describe, expect, it } from 'vitest';
import { toNodeHandler } from '../../../packages/core/src/node/index.ts';
import { installed, useBrowser } from './chromium.ts';
import { inboxBench } from './inbox-support.ts';
import { bench, serve } from './support.ts';

describe.skipIf(!installed)('in a real browser', { timeout: 60_000 }, () => {
  const open = useBrowser();

  it('the inbox leads from the list to the HTML, whose scripts do not run', async () => {
    const { url } = await serve(toNodeHandler(inboxBench().router));
    const { page, problems } = await open(`${url}/mail`);
    expect(page.url()).toBe(`${url}/mail/`);
    expect(await page.locator('tbody tr').count()).toBe(2);
    expect(problems.filter((text) => !text.includes('favicon'))).toEqual([]);
    await page.getByRole('link', { name: 'Spring & summer' }).click();
    const frame = page.frameLocator('iframe');
    await frame.getByRole('heading', { name: 'Hello Zoë' }).waitFor();
    const picture = frame.getByRole('img', { name: 'logo' });
    expect(await picture.evaluate((element) => (element as unknown as { naturalWidth: number }).naturalWidth)).toBe(1);
    expect(problems.join()).toMatch(/Blocked script execution/);
  });

  it('the inbox shows text, headers, links, attachments and source behind their tabs', async () => {
    const { url } = await serve(toNodeHandler(inboxBench().router));
    const { page } = await open(`${url}/mail/inbox/spring`);
    const tab = (name: string) => page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
    await tab('Text');
    expect(await page.locator('pre').textContent()).toContain('Hello Zoë & all');
    await tab('Headers');
    expect(await page.locator('tr', { hasText: 'X-Campaign' }).locator('td').textContent()).toBe(
      '<script>alert(1)</script>',
    );
    await tab('Links');
    expect(await page.getByRole('link', { name: /shop\.example/ }).getAttribute('href')).toBe(
      'https://shop.example/?a=1&b=2',
    );
    await tab('Attachments');
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'prices' }).click();
    expect((await download).suggestedFilename()).toBe('prices – été.csv');
    await tab('Source');
    expect(await page.locator('body').textContent()).toContain('Content-Type: multipart/mixed');
    expect(page.url()).toBe(`${url}/mail/inbox/spring/source`);
  });

  it('the unsubscribe page asks in the language of the browser, and its button unsubscribes', async () => {
    const { router, tokens, unsubscribed } = bench();
    const { url } = await serve(toNodeHandler(router));
    const claim = { deliveryId: 7, address: 'ada@example.com', scope: 'broadcast', locale: undefined } as const;
    const { page, problems } = await open(`${url}/mail/u/${tokens.unsubscribe(claim)}`, { locale: 'fr-FR' });
    expect(await page.getByRole('heading').textContent()).toBe('Se désabonner');
    expect(unsubscribed).toEqual([]);
    await page.getByRole('button', { name: 'Me désabonner' }).click();
    await page.getByRole('heading', { name: 'Vous êtes désabonné' }).waitFor();
    expect(unsubscribed).toMatchObject([{ deliveryId: 7, address: 'ada@example.com', evidence: 'page' }]);
    expect(problems.filter((text) => !text.includes('favicon'))).toEqual([]);
  });

  it('the unsubscribe page also works where a proxy serves it under another path', async () => {
    const { router, tokens, unsubscribed } = bench({ publicUrl: 'https://app.example/elsewhere' });
    const handler = toNodeHandler(router);
    const { url } = await serve((req, res) => {
      req.url = req.url?.replace(/^\/proxied/, '') ?? '/';
      handler(req, res);
    });
    const claim = { deliveryId: 7, address: 'ada@example.com', scope: 'broadcast', locale: 'en' } as const;
    const { page } = await open(`${url}/proxied/mail/u/${tokens.unsubscribe(claim)}`);
    await page.getByRole('button').click();
    await page.getByRole('heading', { name: 'You are unsubscribed' }).waitFor();
    expect(unsubscribed).toHaveLength(1);
  });
});
