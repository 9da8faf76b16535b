import { connect } from 'node:net';
import type { MailRelay, MailRelayOptions } from '@mailrelay/core';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

/** A host application on a free port, with a relay in it. */
export interface Host {
  /** Where the public URL of the relay leads, on this machine. */
  readonly url: string;
  readonly relay: MailRelay;
  close(): Promise<void>;
}

/** One way of mounting. */
export interface Mounting {
  readonly name: string;
  /** Path of the public URL. @default none */
  readonly prefix?: string;
  /**
   * Starts a host with the relay mounted, and with two routes of its own below the prefix: `GET /mail/settings` answers
   * `settings of the host`, and `POST /orders` answers the JSON it got.
   */
  start(options: MailRelayOptions): Promise<Host>;
}

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

/** What every way of mounting does. */
export function describeMounting({ name, prefix = '', start }: Mounting): void {
  describe(`a relay mounted ${name}`, () => {
    let host: Host;
    let links: Record<'pixel' | 'click' | 'unsubscribe' | 'view', string>;

    beforeAll(async () => {
      const publicUrl = `https://app.example${prefix}`;
      host = await start({
        from: 'App <app@example.com>',
        secret: 'a secret of enough length',
        store: ':memory:',
        environment: 'development',
        publicUrl,
        templates: [
          {
            name: 'news',
            subject: 'News',
            html: '<p><a href="https://shop.example/?a=1&amp;b=2">Shop</a> <a href="{{viewUrl}}">View</a></p>',
          },
        ],
      });
      await host.relay.send({
        to: 'ada@example.com',
        template: 'news',
        data: {},
        stream: 'broadcast',
        campaign: 'spring',
      });
      const source = await captured(host.relay, publicUrl);
      const here = (pattern: RegExp): string =>
        (pattern.exec(source)?.[1] ?? expect.unreachable(`no ${pattern} in ${source}`))
          .replaceAll('&amp;', '&')
          .replace(publicUrl, host.url);
      links = {
        pixel: here(/src="([^"]*\/mail\/o\/[^"]*)"/),
        click: here(/href="([^"]*\/mail\/c\/[^"]*)"/),
        view: here(/href="([^"]*\/mail\/v\/[^"]*)"/),
        unsubscribe: here(/List-Unsubscribe: <([^>]*)>/i),
      };
    });

    afterAll(() => host?.close());

    const ask = (url: string, init: RequestInit = {}) =>
      fetch(url, { redirect: 'manual', ...init, headers: { 'user-agent': AGENT, ...init.headers } });

    it('records opens and clicks, and leads to the target', async () => {
      const pixel = await ask(links.pixel);
      expect([pixel.status, pixel.headers.get('content-type'), pixel.headers.get('content-length')]).toEqual([
        200,
        'image/gif',
        '43',
      ]);
      const click = await ask(links.click);
      expect([click.status, click.headers.get('location')]).toEqual([302, 'https://shop.example/?a=1&b=2']);
      expect(await host.relay.reports.campaign('spring')).toMatchObject({ opens: { total: 1 }, clicks: { total: 1 } });
    });

    it('answers HEAD with the headers of GET, also with a query behind the path', async () => {
      const head = await ask(`${links.pixel}?cache=buster`, { method: 'HEAD' });
      expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '43', '']);
    });

    it('shows the mail in the browser, with the headers that protect the page', async () => {
      const view = await ask(links.view);
      expect([view.status, view.headers.get('x-content-type-options')]).toEqual([200, 'nosniff']);
      expect(view.headers.get('content-security-policy')).toContain("base-uri 'none'");
      expect(await view.text()).toContain('Shop');
    });

    it('unsubscribes only by a POST: in one piece, in chunks, and without a body', async () => {
      const has = () => host.relay.suppressions.has('ada@example.com', { stream: 'broadcast' });
      expect(await (await ask(links.unsubscribe)).text()).toContain('ada@example.com');
      expect(await has()).toBe(false);
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      const chunks = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const piece of ['List-Unsub', 'scribe=One-Click']) controller.enqueue(Buffer.from(piece));
          controller.close();
        },
      });
      const ways: RequestInit[] = [
        { body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) },
        { body: chunks, duplex: 'half', headers: form } as RequestInit,
        {},
      ];
      for (const way of ways) {
        expect((await ask(links.unsubscribe, { method: 'POST', ...way })).status).toBe(200);
        expect(await has()).toBe(true);
        await host.relay.suppressions.remove('ada@example.com');
      }
    });

    it('takes a form of a media type that nobody parses', async () => {
      const form = new FormData();
      form.set('List-Unsubscribe', 'One-Click');
      expect((await ask(links.unsubscribe, { method: 'POST', body: form })).status).toBe(200);
    });

    it('names the methods that a path has, and answers tokens that are not its own with one 404', async () => {
      const wrong = await ask(links.pixel, { method: 'DELETE' });
      expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
      expect((await ask(links.click.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')))).status).toBe(404);
    });

    it('tells its health, and shows the inbox of development', async () => {
      expect(await (await ask(`${host.url}/mail/health`)).json()).toEqual({ status: 'ok' });
      const list = await ask(`${host.url}/mail`);
      expect([list.status, list.headers.get('location')]).toEqual([302, './mail/']);
      expect(await (await ask(`${host.url}/mail/`)).text()).toContain('News');
    });

    it('leaves everything else to the host, with its body unread', async () => {
      expect(await (await ask(`${host.url}/mail/settings`)).text()).toBe('settings of the host');
      expect((await ask(`${host.url}/mail/nothing`)).status).toBe(404);
      expect((await ask(`${host.url}/mailing`)).status).toBe(404);
      const order = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":[1,2]}' };
      expect(await (await ask(`${host.url}/orders`, order)).json()).toEqual({ a: [1, 2] });
    });

    it('refuses a body that is far too large', async () => {
      const huge = await ask(links.unsubscribe, {
        method: 'POST',
        body: 'x'.repeat(300_000),
        headers: { 'content-type': 'text/x-large' },
      });
      expect(huge.status).toBe(413);
    });

    it('survives a client that goes away in the middle of its body', async () => {
      const { port, pathname } = new URL(links.unsubscribe);
      const socket = connect(Number(port), '127.0.0.1');
      const head = `POST ${pathname} HTTP/1.1\r\nHost: a\r\nContent-Type: text/x-half\r\nContent-Length: 100\r\n\r\nhalf`;
      await new Promise<void>((resolve) => socket.write(head, () => resolve()));
      socket.destroy();
      expect((await ask(`${host.url}/mail/health`)).status).toBe(200);
    });

    it('gives its failures to the host, whose answer has no detail', async () => {
      await host.relay.stop();
      const response = await ask(`${host.url}/mail/`);
      expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining('stopped')]);
      await host.relay.start();
      expect((await ask(`${host.url}/mail/health`)).status).toBe(200);
    });
  });
}

/** Source of the mail that was sent, headers unfolded, bodies decoded. */
async function captured(relay: MailRelay, publicUrl: string): Promise<string> {
  const get = async (path: string): Promise<string> =>
    (await (await relay.handle(new Request(`${publicUrl}/mail/${path}`)))?.text()) ?? '';
  const id = await vi.waitUntil(async () => /href="inbox\/([\w-]+)"/.exec(await get(''))?.[1], {
    timeout: 20_000,
    interval: 20,
  });
  const source = await get(`inbox/${id}/source`);
  const { html } = await simpleParser(source);
  return `${source.split('\r\n\r\n')[0]?.replace(/\r\n[ \t]+/g, '')}\n\n${html}`;
}
