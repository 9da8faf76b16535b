import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { toNodeHandler } from '../../../packages/core/src/node/index.ts';
import { bearer, brevoBounce, JSON_TYPE, mailgun, SECRET, setting } from './hooks-support.ts';

describe('POST /mail/hooks/:provider', () => {
  it('answers when a bounce has moved its delivery, and the address is suppressed', async () => {
    const { relay, send, state, post } = await setting();
    const events: unknown[] = [];
    relay.on(
      'bounced',
      ({ source, reason, kind, foundBy, code }) => void events.push({ source, reason, kind, foundBy, code }),
    );
    const id = await send('ada@example.net');
    const response = await post('brevo', brevoBounce(id), bearer);
    expect([response.status, await response.text()]).toEqual([200, 'OK']);
    expect(await state(id)).toBe('bounced');
    expect(events).toEqual([{ source: 'brevo', reason: 'no-such-mailbox', kind: 'hard', foundBy: 'id', code: 550 }]);
    expect(await relay.suppressions.has('ada@example.net')).toBe(true);
  });

  it('is not there for a provider that is not configured', async () => {
    const { post, url } = await setting();
    expect((await post('sendgrid', '[]')).status).toBe(404);
    expect((await post('nobody', '[]')).status).toBe(404);
    expect((await post('__proto__', '[]')).status).toBe(404);
    expect((await fetch(`${url}/mail/hooks/brevo`)).status).toBe(405);
  });

  it('refuses without a word what is not proven, and says in the log why', async () => {
    const { send, state, post, warnings } = await setting();
    const id = await send('ada@example.net');
    for (const [path, headers] of [
      ['brevo', {}],
      ['brevo', { authorization: 'Bearer other' }],
      [`brevo/${SECRET}`, bearer],
      ['sarbacane', {}],
      ['sarbacane/another-secret-of-16', {}],
    ] as const) {
      const response = await post(path, brevoBounce(id, { status: 'bounced' }), headers);
      expect([response.status, await response.text()]).toEqual([401, 'Unauthorized']);
    }
    expect(await state(id)).toBe('sent');
    expect(warnings.filter((line) => line.includes('"provider":"brevo"')).length).toBeGreaterThan(0);
    expect(warnings.join()).not.toMatch(/token-of-ours|a-secret-of-16/);
  });

  it('takes a secret path, JSON and urlencoded JSON', async () => {
    const { send, state, post } = await setting();
    const [ada, bob] = [await send('ada@example.net'), await send('bob@example.net')];
    const bounce = (id: string): object => ({
      status: 'bounced',
      meta: { mail_relay_delivery: id },
      description: '550 5.1.1 x',
    });
    expect((await post(`sarbacane/${SECRET}`, bounce(ada))).status).toBe(200);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await post(`tipimail/${SECRET}`, encodeURIComponent(JSON.stringify(bounce(bob))), form)).status).toBe(200);
    expect([await state(ada), await state(bob)]).toEqual(['bounced', 'bounced']);
  });

  it('takes a token once, whatever stands in the body then', async () => {
    const { send, state, post } = await setting();
    const [ada, bob] = [await send('ada@example.net'), await send('bob@example.net')];
    const seconds = Math.floor(Date.now() / 1000);
    expect((await post('mailgun', mailgun(ada, 'token-1', {}, seconds))).status).toBe(200);
    expect(await state(ada)).toBe('bounced');
    // Who has seen that webhook knows a token with its signature.
    const forged = mailgun(bob, 'token-1', { id: 'another' }, seconds);
    expect((await post('mailgun', forged)).status).toBe(406);
    expect(await state(bob)).toBe('sent');
    expect((await post('mailgun', mailgun(bob, 'token-2', {}, seconds - 13 * 3600))).status).toBe(401);
    expect(await state(bob)).toBe('sent');
  });

  it('counts what comes again once, and lets nothing late move a delivery back', async () => {
    const { relay, send, state, post } = await setting();
    const id = await send('ada@example.net');
    const delivered = { ...brevoBounce(id), event: 'delivered', reason: undefined };
    for (const body of [brevoBounce(id), brevoBounce(id), delivered, delivered])
      expect((await post('brevo', body, bearer)).status).toBe(200);
    expect(await state(id)).toBe('bounced');
    expect((await relay.reports.summary()).bounced).toBe(1);
  });

  it('keeps what is about a delivery that is not known here', async () => {
    const { relay, post } = await setting();
    expect((await post('brevo', brevoBounce('dlv_zzzz', { email: 'nobody@example.net' }), bearer)).status).toBe(200);
    expect((await relay.feedback.unmatched()).items).toMatchObject([
      { event: { source: 'brevo', recipient: 'nobody@example.net', reason: 'no-such-mailbox' } },
    ]);
  });

  it('takes an event of a kind that is new, tells it to the log, and changes nothing', async () => {
    const said: string[] = [];
    const quiet = (): void => {};
    const info = (fields: object): void => void said.push(JSON.stringify(fields));
    const { relay, send, state, post } = await setting({ logger: { debug: quiet, info, warn: quiet, error: quiet } });
    const id = await send('ada@example.net');
    const events = [brevoBounce(id, { event: 'teleported' }), brevoBounce(id, { event: 'teleported' })];
    expect((await post('brevo', events, bearer)).status).toBe(200);
    expect(said.filter((line) => line.includes('teleported'))).toEqual(['{"provider":"brevo","kind":"teleported"}']);
    expect(await state(id)).toBe('sent');
    expect((await relay.feedback.unmatched()).items).toEqual([]);
  });

  it('refuses what cannot be read, and what is too large, and counts nothing of what is cut', async () => {
    const { send, state, post } = await setting();
    const id = await send('ada@example.net');
    const whole = JSON.stringify([brevoBounce(id)]);
    expect((await post('brevo', whole.slice(0, -20), bearer)).status).toBe(400);
    expect((await post('brevo', '', bearer)).status).toBe(400);
    const large = await post('brevo', 'x'.repeat(5_242_881), bearer).catch(() => undefined);
    if (large !== undefined) expect(large.status).toBe(413);
    // Whose it is stands in the body: anybody's would have to be read.
    const unproven = await post('mailgun', 'x'.repeat(1_048_577)).catch(() => undefined);
    if (unproven !== undefined) expect(unproven.status).toBe(413);
    expect((await post('mailgun', 'x'.repeat(1_000_000))).status).toBe(401);
    expect(await state(id)).toBe('sent');
  });

  it('is tried again later where the store fails', async () => {
    const { relay, send, post } = await setting();
    const id = await send('ada@example.net');
    await relay.stop();
    expect((await post('brevo', brevoBounce(id), bearer)).status).toBe(503);
  });

  it('says what to do where a parser of the host has read the body', async () => {
    const { relay } = await setting();
    const app = express();
    app.use(express.json());
    app.use((req, res, next) => toNodeHandler(relay)(req, res, next));
    app.use(
      ((error, _req, res, _next) => void res.status(500).send((error as Error).message)) as express.ErrorRequestHandler,
    );
    const server = createServer(app).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mail/hooks/brevo`;
    const response = await fetch(url, { method: 'POST', body: '{}', headers: { ...JSON_TYPE, ...bearer } });
    expect(await response.text()).toMatch(/mount the relay before body parsers/);
  });

  it('takes a batch of 100 in far less time than 100 webhooks', async () => {
    const { post, send } = await setting();
    const id = await send('ada@example.net');
    const open = (index: number): object => ({
      ...brevoBounce(id),
      event: 'opened',
      reason: undefined,
      ts_event: 1_764_000_000 + index,
    });
    const timed = async (run: () => Promise<unknown>): Promise<number> => {
      const started = performance.now();
      await run();
      return performance.now() - started;
    };
    await post('brevo', [open(0)], bearer);
    const batch = async (from: number): Promise<number> => {
      const events = Array.from({ length: 100 }, (_, index) => open(from + index));
      return timed(() => post('brevo', events, bearer));
    };
    // The best of three: a machine that is busy for a moment holds up one of them.
    const batches = [await batch(1000), await batch(3000), await batch(4000)];
    const single = async (from: number): Promise<number> =>
      timed(async () => {
        for (let index = 0; index < 100; index += 1) await post('brevo', [open(from + index)], bearer);
      });
    const singles = [await single(2000), await single(5000)];
    expect(Math.min(...batches)).toBeLessThan(Math.max(...singles) / 2);
  });
});
