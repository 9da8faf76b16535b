import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type MailRelayOptions, sqlite } from '@mailrelay/core';
import { type MailRelayHandler, mailRelay } from '@mailrelay/express';
import { type ParsedMail, simpleParser } from 'mailparser';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SOURCE_ARGUMENTS } from '../support/source.ts';
import { EXPRESS, listen } from './support.ts';

const PUBLIC_URL = 'https://app.example';

async function mounted(options: MailRelayOptions = {}): Promise<MailRelayHandler> {
  const folder = await mkdtemp(join(tmpdir(), 'mail-relay-express-'));
  const mail = mailRelay({
    from: 'Acme <hello@acme.example>',
    publicUrl: PUBLIC_URL,
    secret: 'a secret of enough length',
    store: sqlite(join(folder, 'relay.db')),
    environment: 'development',
    ...options,
  });
  onTestFinished(async () => {
    await mail.relay.stop();
    await rm(folder, { recursive: true, force: true });
  });
  await mail.ready;
  return mail;
}

it.each([null, 5, 'smtp://localhost', []])('mailRelay(%j) is an error that says what it takes', (options) => {
  expect(() => mailRelay(options as never)).toThrow(
    expect.objectContaining({ code: 'OPTIONS_INVALID', details: expect.objectContaining({ option: 'options' }) }),
  );
});

/** The newest captured mail, once there is one. */
async function captured(url: string): Promise<ParsedMail> {
  const id = await vi.waitUntil(
    async () => /href="inbox\/([\w-]+)"/.exec(await (await fetch(`${url}/mail/`)).text())?.[1],
    { timeout: 10_000, interval: 20 },
  );
  return simpleParser(await (await fetch(`${url}/mail/inbox/${id}/source`)).text());
}

describe.each(EXPRESS)('a relay in %s', (_version, express) => {
  it('answers a mistyped address with 400, without a word of the application', async () => {
    const mail = await mounted();
    const app = express();
    app.set('env', 'production');
    app.use(mail, express.json());
    app.post('/signup', (req, res, next) => {
      const { to } = req.body as { to: string };
      req.mail.send({ to, subject: 'Hi', text: 'Hello' }).then(({ id }) => res.status(202).send(id), next);
    });
    const { url } = await listen(app);
    const signUp = async (to: string): Promise<number> => {
      const headers = { 'Content-Type': 'application/json' };
      return (await fetch(`${url}/signup`, { method: 'POST', headers, body: JSON.stringify({ to }) })).status;
    };
    expect([await signUp('ada@example'), await signUp('ada@'), await signUp('ada at example.com')]).toEqual([
      202, 400, 400,
    ]);
  });

  it('sends by req.mail, and its reader opens, clicks and unsubscribes by the links in the mail', async () => {
    const mail = await mounted();
    const app = express();
    app.use(mail, express.json());
    app.post('/signup', async (req, res) => {
      const { to } = req.body as { to: string };
      const accepted = await req.mail.send({
        to,
        subject: 'Welcome',
        html: '<html><body><p>Hello <a href="https://shop.example/?a=1&amp;b=2">Shop</a></p></body></html>',
        stream: 'broadcast',
        campaign: 'spring',
      });
      res.status(202).json(accepted);
    });
    const { url } = await listen(app);
    const signup = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"to":"ada@example.com"}',
    };
    expect((await fetch(`${url}/signup`, signup)).status).toBe(202);

    const received = await captured(url);
    const header = (name: string) =>
      received.headerLines
        .find(({ key }) => key === name)
        ?.line.replace(/^[^:]*:\s*/, '')
        .replace(/\r\n/g, '') ?? '';
    const here = (link: string | undefined) => (link ?? 'no link').replaceAll('&amp;', '&').replace(PUBLIC_URL, url);
    const agent = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' };

    const pixel = here(/src="([^"]*\/mail\/o\/[^"]*)"/.exec(received.html || '')?.[1]);
    expect((await (await fetch(pixel, { headers: agent })).arrayBuffer()).byteLength).toBe(43);
    const link = here(/href="([^"]*\/mail\/c\/[^"]*)"/.exec(received.html || '')?.[1]);
    const led = await fetch(link, { redirect: 'manual', headers: agent });
    expect([led.status, led.headers.get('location')]).toEqual([302, 'https://shop.example/?a=1&b=2']);
    const unsubscribe = here(/<(https:[^>]*\/mail\/u\/[^>]*)>/.exec(header('list-unsubscribe'))?.[1]);
    expect(header('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click');
    expect(await (await fetch(unsubscribe)).text()).toContain('ada@example.com');
    expect(await mail.relay.suppressions.has('ada@example.com', { stream: 'broadcast' })).toBe(false);
    await fetch(unsubscribe, { method: 'POST', body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) });
    expect(await mail.relay.suppressions.has('ada@example.com', { stream: 'broadcast' })).toBe(true);

    expect(await mail.relay.reports.campaign('spring')).toMatchObject({
      sent: 1,
      unsubscribed: 1,
      opens: { unique: 1, total: 1 },
      clicks: { unique: 1, total: 1 },
      links: [{ url: 'https://shop.example/?a=1&b=2', total: 1 }],
    });
  });

  it('starts again for the next server, as tests do that listen per request', async () => {
    const mail = await mounted();
    const app = express();
    app.use(mail);
    for (let round = 0; round < 3; round++) {
      const { url, close } = await listen(app);
      expect(await (await fetch(`${url}/mail/health`)).json()).toEqual({ status: 'ok' });
      await close();
    }
  });

  it('lets the process end when its server closes, also before the first request', async () => {
    const script = `
      import express from 'express';
      import { mailRelay } from '@mailrelay/express';
      import { sqlite } from '@mailrelay/core';
      const app = express();
      const mail = mailRelay({ store: sqlite(':memory:'), secret: 'a secret of enough length' });
      app.use(mail);
      const server = app.listen(0, '127.0.0.1', async () => {
        const { deliveries } = await mail.relay.send({ to: 'ada@example.com', subject: 'Hi', text: 'Hi' });
        console.log(deliveries.length);
        server.close();
      });`;
    const child = await promisify(execFile)(
      process.execPath,
      [...SOURCE_ARGUMENTS, '--input-type=module', '--eval', script],
      { cwd: import.meta.dirname, timeout: 20_000 },
    );
    expect(child.stdout.trim()).toBe('1');
  });

  it('refuses work after its server has closed', async () => {
    const mail = await mounted();
    const app = express();
    app.use(mail);
    const { url, close } = await listen(app);
    expect(await (await fetch(`${url}/mail/health`)).json()).toEqual({ status: 'ok' });
    await close();
    await mail.relay.stop();
    await expect(mail.relay.send({ to: 'ada@example.com', subject: 'Late', text: 'Late' })).rejects.toMatchObject({
      code: 'RELAY_STOPPED',
    });
  });
});

describe('mailRelay()', () => {
  it('throws at once in production without a secret, and names it', () => {
    expect(() => mailRelay({ environment: 'production' })).toThrow(expect.objectContaining({ code: 'SECRET_MISSING' }));
  });

  it('does not start on a database that cannot be opened', async () => {
    const error = vi.fn();
    const logger = { debug: () => {}, info: () => {}, warn: () => {}, error };
    const mail = mailRelay({ store: sqlite('/dev/null/relay.db'), secret: 'a secret of enough length', logger });
    await expect(mail.ready).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(error).toHaveBeenCalledWith(expect.anything(), 'the mail relay could not start');
  });
});
