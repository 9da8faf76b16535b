import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { HandledRelay, NodeHandler } from '../../../packages/core/src/node/index.ts';
import { toNodeHandler } from '../../../packages/core/src/node/index.ts';
import { bench, serve } from '../http/support.ts';

const claim = { deliveryId: 7, address: 'ada@example.com', scope: 'broadcast', locale: 'en' } as const;

/** A `handle` function of the host around the relay's: the adapter then speaks Request and Response. */
function wrapped({ handle, matches }: HandledRelay): HandledRelay {
  return { handle: (request) => handle(request), matches };
}

describe.each([
  ['as it is', (relay: HandledRelay) => relay],
  ['wrapped by the host', wrapped],
])('a relay on node:http, %s', (_name, prepare) => {
  const start = async (options?: Parameters<typeof bench>[0]) => {
    const made = bench(options);
    const handler: NodeHandler = toNodeHandler(prepare(made.router));
    return { ...made, ...(await serve((req, res) => handler(req, res))) };
  };

  it('serves the pixel with its length', async () => {
    const { url, tokens } = await start();
    const response = await fetch(`${url}/mail/o/${tokens.delivery('o', 7)}.gif`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('43');
    expect((await response.arrayBuffer()).byteLength).toBe(43);
  });

  it('answers HEAD with the headers of GET and no body', async () => {
    const { url, tokens, readings } = await start();
    const response = await fetch(`${url}/mail/o/${tokens.delivery('o', 7)}.gif`, { method: 'HEAD' });
    expect(response.headers.get('content-length')).toBe('43');
    expect(await response.text()).toBe('');
    expect(readings).toMatchObject([{ method: 'HEAD' }]);
  });

  it('leads to the target of a link', async () => {
    const { url, tokens, readings } = await start();
    const path = `/mail/c/${tokens.link('t:1', 0, 'https://shop.example/')}.${tokens.clicker('t:1', 7)}`;
    const response = await fetch(url + path, { redirect: 'manual', headers: { 'user-agent': 'Reader 1' } });
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toBe('https://shop.example/');
    expect(readings).toMatchObject([{ userAgent: 'Reader 1' }]);
  });

  it('unsubscribes by a POST, also one in chunks', async () => {
    const { url, tokens, unsubscribed } = await start();
    const path = `${url}/mail/u/${tokens.unsubscribe(claim)}`;
    await fetch(path, { method: 'POST', body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) });
    const chunks = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of ['List-Unsub', 'scribe=One-Click']) controller.enqueue(Buffer.from(piece));
        controller.close();
      },
    });
    await fetch(path, { method: 'POST', body: chunks, duplex: 'half' } as RequestInit);
    await fetch(path, { method: 'POST' });
    expect(unsubscribed.map(({ evidence }) => evidence)).toEqual(['one-click', 'one-click', 'page']);
  });

  it('answers 404 to what is not ours', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/elsewhere`);
    expect([response.status, await response.text()]).toEqual([404, 'Not found']);
  });

  it('understands a request target in absolute form, and one with a query', async () => {
    const { url, tokens } = await start();
    const path = `/mail/o/${tokens.delivery('o', 7)}`;
    expect((await fetch(`${url}${path}?cache=buster`)).status).toBe(200);
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(`GET http://app.example${path} HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n`);
    const reply = await socket.setEncoding('latin1').toArray();
    expect(reply.join('')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('survives a client that goes away in the middle of its body', async () => {
    const { url, tokens, unsubscribed } = await start();
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    const head = `POST /mail/u/${tokens.unsubscribe(claim)} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf`;
    await new Promise<void>((resolve) => socket.write(head, () => resolve()));
    socket.destroy();
    expect((await fetch(`${url}/mail/health`)).status).toBe(200);
    expect(unsubscribed).toEqual([]);
  });

  it('answers requests that have no web-standard form, or an odd one', async () => {
    const { url } = await start();
    const ask = async (head: string): Promise<string> => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.write(`${head}\r\nConnection: close\r\n\r\n`);
      return (await socket.setEncoding('latin1').toArray()).join('').slice(0, 12);
    };
    expect(await ask('GET /mail/health HTTP/1.0')).toBe('HTTP/1.1 200');
    expect(await ask('HEAD /mail/health HTTP/1.1\r\nHost: x\r\nRange: bytes=0-0')).toBe('HTTP/1.1 200');
    expect(await ask('PROPFIND /mail/health HTTP/1.1\r\nHost: x')).toBe('HTTP/1.1 405');
    expect(await ask('TRACE /mail/health HTTP/1.1\r\nHost: x')).toMatch(/^HTTP\/1.1 40[05]$/);
    expect(await ask('GET /mail/health HTTP/1.1\r\nHost: <x y>')).toMatch(/^HTTP\/1.1 (?:200|400)$/);
    for (const path of ['//mail/health', '/mail%2Fhealth', '/mail/%zz', `/mail/o/${'x'.repeat(9000)}`, '/mail/o/%00'])
      expect(await ask(`GET ${path} HTTP/1.1\r\nHost: x`), path).toBe('HTTP/1.1 404');
  });

  it('gives failures to next, and without next answers 500 without detail', async () => {
    const failing = { engine: { view: () => Promise.reject(new Error('secret detail')) } };
    const { url, tokens, router } = await start(failing);
    const path = `/mail/v/${tokens.delivery('v', 7)}`;
    const response = await fetch(url + path);
    expect([response.status, await response.text()]).toEqual([500, 'Internal error']);
    const handler = toNodeHandler(prepare(router));
    const { url: other } = await serve((req, res) =>
      handler(req, res, (error) => void res.writeHead(502).end(String((error as Error).message))),
    );
    expect(await (await fetch(other + path)).text()).toBe('secret detail');
  });
});

describe('a relay on node:http', () => {
  it('refuses a body over 64 KB without reading on', async () => {
    const { router, tokens, unsubscribed } = bench();
    const { url } = await serve(toNodeHandler(router));
    const response = await fetch(`${url}/mail/u/${tokens.unsubscribe(claim)}`, {
      method: 'POST',
      body: 'x'.repeat(65_537),
    });
    expect(response.status).toBe(413);
    expect(unsubscribed).toEqual([]);
  });

  it('tells nobody where a client goes away in the middle of its request: there is nobody to answer', async () => {
    const { router, tokens, unsubscribed } = bench();
    for (const relay of [router, { ...router, handle: (request: Request) => router.handle(request) }]) {
      const handler = toNodeHandler(relay);
      const told: unknown[] = [];
      const came = Promise.withResolvers<void>();
      const gone = Promise.withResolvers<void>();
      const { url } = await serve((req, res) => {
        req.once('close', () => setTimeout(gone.resolve, 50));
        handler(req, res, (error) => void told.push(error));
        came.resolve();
      });
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.write(`POST /mail/u/${tokens.unsubscribe(claim)} HTTP/1.1\r\nHost: x\r\nContent-Length: 26\r\n\r\nList-`);
      await came.promise;
      socket.destroy();
      await gone.promise;
      expect(told).toEqual([]);
      expect(unsubscribed).toEqual([]);
    }
  });

  it('leaves the body of what is not ours unread', async () => {
    const handler = toNodeHandler(bench().router);
    const { url } = await serve((req, res) =>
      handler(req, res, async () => void res.end(Buffer.concat(await req.toArray()))),
    );
    const response = await fetch(`${url}/orders`, { method: 'POST', body: 'three pieces' });
    expect(await response.text()).toBe('three pieces');
  });

  it('keeps headers that the host has set', async () => {
    const handler = toNodeHandler(bench().router);
    const { url } = await serve((req, res) => {
      res.setHeader('Strict-Transport-Security', 'max-age=1');
      handler(req, res);
    });
    expect((await fetch(`${url}/mail/health`)).headers.get('strict-transport-security')).toBe('max-age=1');
  });

  it('streams what a wrapped relay answers, and aborts its request when the client goes away', async () => {
    const gone = Promise.withResolvers<void>();
    const handler = toNodeHandler({
      matches: () => true,
      handle: async (request) => {
        request.signal.addEventListener('abort', () => gone.resolve());
        const body = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('first')) });
        return new Response(body, {
          headers: [
            ['set-cookie', 'a=1'],
            ['set-cookie', 'b=2'],
          ],
        });
      },
    });
    const { url } = await serve((req, res) => handler(req, res));
    const abort = new AbortController();
    const response = await fetch(url, { signal: abort.signal });
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('first');
    abort.abort();
    await gone.promise;
  });
});
