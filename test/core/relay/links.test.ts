import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { simpleParser } from 'mailparser';
import { describe, expect, it, vi } from 'vitest';
import { defineTemplate, type MailRelay } from '../../../packages/core/src/index.ts';
import { capturedMails, relayWith, scratchFolder } from '../../support/relay.ts';

const READER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' };
const html = '<html><body><a href="https://shop.example/?a=1&amp;b=2">Shop</a></body></html>';

interface Links {
  readonly click: string;
  readonly pixel: string;
  readonly unsubscribe: string;
}

async function linksIn(relay: MailRelay): Promise<Links> {
  const [source = ''] = await capturedMails(relay, 1);
  const mail = await simpleParser(source);
  return {
    click: /href="([^"]*\/mail\/c\/[^"]*)"/.exec(mail.html || '')?.[1] ?? '',
    pixel: /src="([^"]*\/mail\/o\/[^"]*)"/.exec(mail.html || '')?.[1] ?? '',
    unsubscribe: /<(https:[^>]*\/mail\/u\/[^>]*)>/.exec(source.replace(/\r\n\s/g, ''))?.[1] ?? '',
  };
}

async function sendOne(relay: MailRelay): Promise<Links> {
  await relay.sendMany(['ada@example.com'], { campaign: 'spring', subject: 'Spring', html, text: 'Spring' });
  return linksIn(relay);
}

const get = (relay: MailRelay, url: string, init: RequestInit = {}): Promise<Response | undefined> =>
  relay.handle(new Request(url, { headers: READER, redirect: 'manual', ...init }));

describe('links in mail that went out', () => {
  it('still work, and still cannot be forged, after the database was purged', async () => {
    const file = join(scratchFolder(), 'relay.db');
    const relay = relayWith({ store: file });
    const { click, pixel, unsubscribe } = await sendOne(relay);
    await relay.stop();
    const db = new DatabaseSync(file);
    for (const table of ['delivery', 'message', 'content', 'event', 'campaign', 'link'])
      db.exec(`DELETE FROM ${table}`);
    db.close();

    const after = relayWith({ store: file });
    expect((await get(after, click))?.headers.get('location')).toBe('https://shop.example/?a=1&b=2');
    expect((await get(after, pixel))?.status).toBe(200);
    const post = { method: 'POST', body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) };
    expect((await get(after, unsubscribe, post))?.status).toBe(200);
    expect(await after.suppressions.has('ada@example.com', { stream: 'broadcast' })).toBe(true);
    for (const url of [click, unsubscribe]) {
      const forged = url.slice(0, -1) + (url.endsWith('A') ? 'B' : 'A');
      const answer = await get(after, forged);
      expect([answer?.status, await answer?.text()]).toEqual([404, expect.not.stringContaining('shop')]);
    }
  });

  it('outlive a change of the secret while the old one is still listed, and not longer', async () => {
    const store = join(scratchFolder(), 'relay.db');
    const old = 'the first secret, long enough';
    const { click } = await sendOne(relayWith({ store, secret: old }));
    const rotated = relayWith({ store, secret: ['the second secret, long enough', old] });
    expect((await get(rotated, click))?.status).toBe(302);
    expect((await get(relayWith({ store, secret: 'the second secret, long enough' }), click))?.status).toBe(404);
  });

  it('count, and an unsubscribe stops what waits already', async () => {
    const relay = relayWith();
    const { click, pixel, unsubscribe } = await sendOne(relay);
    await get(relay, pixel);
    await get(relay, click);
    await get(relay, click);
    expect(await relay.reports.campaign('spring')).toMatchObject({
      opens: { unique: 1, total: 1 },
      clicks: { unique: 1, total: 2 },
      links: [{ url: 'https://shop.example/?a=1&b=2', unique: 1, total: 2 }],
    });
    const later = new Date(Date.now() + 60_000);
    await relay.sendMany(['ada@example.com'], { campaign: 'later', subject: 'Later', text: 'Later', sendAt: later });
    await relay.send({ to: 'ada@example.com', subject: 'Receipt', text: 'Receipt', sendAt: later });
    await get(relay, unsubscribe, { method: 'POST', body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) });
    const states = async (): Promise<unknown> =>
      (await relay.messages.list()).items.map(({ stream, state }) => [stream, state]);
    await expect.poll(states).toEqual([
      ['transactional', 'scheduled'],
      ['broadcast', 'suppressed'],
      ['broadcast', 'sent'],
    ]);
  });

  it('are counted by their form in the template where they differ by recipient, and by target where they do not', async () => {
    const source = `<html><body><p>{{#each products}}<a href="{{url}}">{{name}}</a>{{/each}}
      <a href="https://shop.example/account/{{id}}">Account</a></p></body></html>`;
    const relay = relayWith({ templates: [defineTemplate({ name: 'news', subject: 'News', html: source })] });
    const products = ['a', 'b'].map((name) => ({ name, url: `https://shop.example/p/${name}` }));
    const people = ['ada', 'bob', 'cy'].map((id) => ({ to: `${id}@example.com`, data: { id } }));
    await relay.sendMany(people, { campaign: 'spring', template: 'news', data: { products } });
    for (const mail of await capturedMails(relay, 3)) {
      const { html: body, text = '' } = await simpleParser(mail);
      const links = (body || '').match(/https:[^"]*\/mail\/c\/[^"]*/g) ?? [];
      expect(links).toHaveLength(3);
      expect(text.match(/https:\S*\/mail\/c\/[^\s)]*/g)).toEqual(links);
      for (const link of links) await get(relay, link);
    }
    await vi.waitFor(async () =>
      expect((await relay.reports.campaign('spring')).links.map(({ url, unique }) => [url, unique]).sort()).toEqual([
        ['https://shop.example/account/{{id}}', 3],
        ['https://shop.example/p/a', 3],
        ['https://shop.example/p/b', 3],
      ]),
    );
  });
});
