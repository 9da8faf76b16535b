import { mailRelay } from '@mailrelay/express';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { describe, expect, it, vi } from 'vitest';
import { EXPRESS, listen, stubRelay } from './support.ts';

const claim = { deliveryId: 7, address: 'ada@example.com', scope: 'broadcast', locale: 'en' } as const;
const showError: ErrorRequestHandler = (error, _req, res, _next) => {
  res.status(500).json({ code: error.code, message: error.message });
};

describe.each(EXPRESS)('mailRelay() in %s', (_version, express) => {
  it('serves its routes, sets req.mail and leaves everything else to the application', async () => {
    const { relay, tokens, readings } = stubRelay();
    const app = express();
    app.use(mailRelay(relay));
    app.get('/', (req, res) => void res.send(req.mail === relay ? 'mine' : 'other'));
    app.get('/mail/settings', (_req, res) => void res.send('settings of the application'));
    const { url } = await listen(app);
    expect((await fetch(`${url}/mail/o/${tokens.delivery('o', 7)}.gif`)).headers.get('content-type')).toBe('image/gif');
    expect(readings).toHaveLength(1);
    expect(await (await fetch(url)).text()).toBe('mine');
    expect(await (await fetch(`${url}/mail/settings`)).text()).toBe('settings of the application');
    expect((await fetch(`${url}/mail/nothing`)).status).toBe(404);
  });

  it('serves under a mount path that is part of the public URL, and under one that is not', async () => {
    const { relay, tokens } = stubRelay({ publicUrl: 'https://app.example/shop' });
    const app = express();
    app.use('/shop', mailRelay(relay));
    app.use('/other', mailRelay(relay));
    const { url } = await listen(app);
    const pixel = `/mail/o/${tokens.delivery('o', 7)}.gif`;
    expect((await fetch(`${url}/shop${pixel}`)).status).toBe(200);
    expect((await fetch(`${url}/other${pixel}`)).status).toBe(200);
    expect((await fetch(url + pixel)).status).toBe(404);
  });

  it('serves where it is mounted at /mail itself', async () => {
    const { relay, tokens } = stubRelay();
    const app = express();
    app.use('/mail', mailRelay(relay));
    const { url } = await listen(app);
    expect((await fetch(`${url}/mail/o/${tokens.delivery('o', 7)}.gif`)).status).toBe(200);
  });

  it('serves in a router of a router', async () => {
    const { relay, tokens } = stubRelay();
    const app = express();
    const inner = express.Router().use(mailRelay(relay));
    app.use('/a', express.Router().use('/b', inner));
    const { url } = await listen(app);
    expect((await fetch(`${url}/a/b/mail/o/${tokens.delivery('o', 7)}.gif`)).status).toBe(200);
  });

  it('serves behind a proxy that cuts the path of the public URL off', async () => {
    const { relay, tokens } = stubRelay({ publicUrl: 'https://app.example/shop' });
    const app = express();
    app.set('trust proxy', true);
    app.use(mailRelay(relay));
    const { url } = await listen(app);
    const headers = { 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'https', 'x-forwarded-prefix': '/shop' };
    expect((await fetch(`${url}/mail/o/${tokens.delivery('o', 7)}.gif`, { headers })).status).toBe(200);
  });

  it('takes unsubscribe posts with body parsers after it, which then still parse for the application', async () => {
    const { relay, tokens, unsubscribed } = stubRelay();
    const app = express();
    app.use(mailRelay(relay), express.json(), express.urlencoded({ extended: true }));
    app.post('/orders', (req, res) => void res.json(req.body));
    const { url } = await listen(app);
    await fetch(`${url}/mail/u/${tokens.unsubscribe(claim)}`, {
      method: 'POST',
      body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }),
    });
    expect(unsubscribed).toMatchObject([{ evidence: 'one-click' }]);
    const order = await fetch(`${url}/orders`, {
      method: 'POST',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    });
    expect(await order.json()).toEqual({ a: 1 });
  });

  it.each([true, false])('takes unsubscribe posts with body parsers before it (extended: %s)', async (extended) => {
    const { relay, tokens, unsubscribed } = stubRelay();
    const app = express();
    app.use(express.json(), express.urlencoded({ extended }), mailRelay(relay));
    const { url } = await listen(app);
    const path = `${url}/mail/u/${tokens.unsubscribe(claim)}`;
    await fetch(path, { method: 'POST', body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) });
    await fetch(path, { method: 'POST', body: new URLSearchParams({ confirm: 'yes' }) });
    await fetch(path, { method: 'POST' });
    expect(unsubscribed.map(({ evidence }) => evidence)).toEqual(['one-click', 'page', 'page']);
  });

  it('says what to do where something else has eaten the body', async () => {
    const { relay, tokens, unsubscribed } = stubRelay();
    const app = express();
    const eat: RequestHandler = (req, _res, next) => void req.resume().once('end', next);
    app.use(eat, mailRelay(relay), showError);
    const { url } = await listen(app);
    const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' });
    const response = await fetch(`${url}/mail/u/${tokens.unsubscribe(claim)}`, { method: 'POST', body });
    expect(await response.json()).toMatchObject({
      code: 'BODY_CONSUMED',
      message: expect.stringContaining('mount the relay before body parsers'),
    });
    expect(unsubscribed).toEqual([]);
  });

  it('gives its failures to the error handler of the application', async () => {
    const { relay, tokens } = stubRelay({ engine: { view: () => Promise.reject(new Error('no store')) } });
    const app = express();
    app.use(mailRelay(relay), showError);
    const { url } = await listen(app);
    const response = await fetch(`${url}/mail/v/${tokens.delivery('v', 7)}`);
    expect([response.status, await response.json()]).toEqual([500, { message: 'no store' }]);
  });

  it('lives with others in one application: each serves its own, and req.mail is the last before the route', async () => {
    const news = stubRelay({ publicUrl: 'https://app.example/news' });
    const shop = stubRelay({ publicUrl: 'https://app.example/shop' });
    const app = express();
    const first = mailRelay(news.relay);
    const second = mailRelay(shop.relay);
    app.use('/news', first);
    app.get('/news', (req, res) => void res.json(req.mail === first.relay));
    app.use('/shop', second);
    app.get('/shop', (req, res) => void res.json(req.mail === second.relay));
    const { url } = await listen(app);
    await fetch(`${url}/news/mail/o/${news.tokens.delivery('o', 1)}`);
    await fetch(`${url}/shop/mail/o/${shop.tokens.delivery('o', 2)}`);
    expect([news.readings, shop.readings]).toMatchObject([[{ deliveryId: 1 }], [{ deliveryId: 2 }]]);
    expect(await (await fetch(`${url}/news`)).json()).toBe(true);
    expect(await (await fetch(`${url}/shop`)).json()).toBe(true);
  });

  it('starts at once, and stops with the server', async () => {
    const { relay, calls } = stubRelay();
    const app = express();
    const mail = mailRelay(relay);
    await mail.ready;
    expect(calls).toEqual(['start']);
    app.use(mail);
    const { url, close } = await listen(app);
    await fetch(`${url}/mail/health`);
    await fetch(`${url}/mail/health`);
    await close();
    expect(calls).toEqual(['start', 'stop {"drain":false}']);
  });

  it('stops with the last of several servers', async () => {
    const { relay, calls } = stubRelay();
    const app = express();
    app.use(mailRelay(relay));
    const servers = [await listen(app), await listen(app)] as const;
    for (const { url } of servers) await fetch(`${url}/mail/health`);
    await servers[0].close();
    expect(calls).toEqual(['start']);
    await servers[1].close();
    expect(calls).toEqual(['start', 'stop {"drain":false}']);
  });

  it('is loud about a start that failed: in the log, to who waits, and to every request', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    const failure = new Error('the template folder is missing');
    const app = express();
    const mail = mailRelay(stubRelay({ start: () => Promise.reject(failure) }).relay);
    app.use(mail, showError);
    await expect(mail.ready).rejects.toBe(failure);
    const { url } = await listen(app);
    expect(await (await fetch(url)).json()).toEqual({ message: failure.message });
    expect(logged).toHaveBeenCalledWith(expect.stringContaining('could not start'), failure);
    logged.mockRestore();
  });
});

it('mailRelay() gives a named handler', () => {
  expect(mailRelay(stubRelay().relay).name).toBe('mailRelayHandler');
});
