import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { defineProvider } from '../../../packages/core/src/index.ts';
import { toNodeHandler } from '../../../packages/core/src/node/index.ts';
import { bearer, brevoBounce, KEY, SECRET, setting } from './hooks-support.ts';
import { serve } from './support.ts';

describe('webhooks at the edges', () => {
  it('moves no mail for what names one that another relay sent, by the same account of the provider', async () => {
    const { relay, send, state, post } = await setting();
    const id = await send('ada@example.net');
    const named = brevoBounce('dlv_1k2j3');
    const byMessageId = { ...named, 'X-Mailin-custom': '', 'message-id': '<1k2j3.abcdefgh@staging.example>' };
    for (const said of [named, byMessageId]) expect((await post('brevo', said, bearer)).status).toBe(200);
    expect(await state(id)).toBe('sent');
    expect((await relay.feedback.unmatched()).items).toHaveLength(2);
    expect((await relay.suppressions.list()).items).toEqual([]);
    // Where no mail is named, or the provider gave it a Message-ID of its own, it is the latest to the address.
    const renamed = { ...byMessageId, 'message-id': '<202611251200.12345678@smtp-relay.mailin.fr>' };
    expect((await post('brevo', renamed, bearer)).status).toBe(200);
    expect(await state(id)).toBe('bounced');
  });

  it('refuses what its headers do not prove before it reads the body', async () => {
    const { url } = await setting();
    const ask = (authorization: string): Promise<string> => {
      const { promise, resolve } = Promise.withResolvers<string>();
      const socket = connect(Number(new URL(url).port), '127.0.0.1', () =>
        socket.write(`POST /mail/hooks/brevo HTTP/1.1\r\nHost: x\r\n${authorization}Content-Length: 5000000\r\n\r\n{`),
      );
      socket.once('data', (head) => {
        resolve(head.toString('latin1').slice(0, 12));
        socket.destroy();
      });
      return promise;
    };
    expect(await ask('')).toBe('HTTP/1.1 401');
    expect(await ask('Authorization: Bearer another\r\n')).toBe('HTTP/1.1 401');
  });

  it('takes two secrets of a path and two tokens while they change', async () => {
    const secrets = [SECRET, 'another-secret-of-ours'];
    const { post } = await setting({
      webhooks: { sarbacane: { secret: secrets }, brevo: { token: ['token-of-ours', 'the-next'] } },
    });
    const said = { status: 'delivered', email: 'ada@example.net' };
    for (const secret of secrets) expect((await post(`sarbacane/${secret}`, said)).status).toBe(200);
    for (const wrong of ['', '/', `/${secrets.join(',')}`, '/a-third-secret-of-ours'])
      expect([401, 404]).toContain((await post(`sarbacane${wrong}`, said)).status);
    for (const token of ['token-of-ours', 'the-next'])
      expect((await post('brevo', {}, { authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await post('brevo', {}, { authorization: 'Bearer token-of-ours,the-next' })).status).toBe(401);
  });

  it('finds a mail by its recipient in whatever spelling the domain is told', async () => {
    const { relay, send, state, post } = await setting();
    const id = await send('ada@bücher.example');
    const said = { event: 'hard_bounce', email: 'Ada@BÜCHER.example', reason: '550 5.1.1 user unknown' };
    expect((await post('brevo', said, bearer)).status).toBe(200);
    expect(await state(id)).toBe('bounced');
    expect(await relay.suppressions.has('ada@bücher.example')).toBe(true);
  });

  it('of a provider of the host that answers what are no events: those are left out, and the log says which', async () => {
    const said: string[] = [];
    const quiet = (): void => {};
    const error = (fields: object): void => void said.push(JSON.stringify(fields));
    const good = { id: '1', type: 'bounced', at: Date.now(), source: 'acme', recipient: 'x'.repeat(2000) } as const;
    const broken = [null, 'x', { ...good, id: 1 }, { ...good, type: 'gone' }, { ...good, at: Number.NaN }];
    const reads: Record<string, unknown> = { acme: [...broken, good], other: 'no list' };
    const others = Object.entries(reads).map(([name, answer]) =>
      defineProvider({ name, verify: () => ({ ok: true }), read: () => answer as [] }),
    );
    const { relay, post } = await setting({
      webhooks: { others },
      logger: { debug: quiet, info: quiet, warn: quiet, error },
    });
    expect((await post('acme', {})).status).toBe(200);
    const { items } = await relay.feedback.unmatched();
    expect(items.map(({ event }) => [event.id, event.recipient?.length])).toEqual([['1', 1000]]);
    expect((await post('other', {})).status).toBe(500);
    expect(said.map((line) => /read\(\) of the provider (?:acme|other) \w+ \w+ \w+/.exec(line)?.[0])).toEqual([
      'read() of the provider acme answers events that',
      'read() of the provider other must answer a',
    ]);
  });

  it('takes a form that a parser of the host has read, with fields that come twice', async () => {
    const { relay, send, state } = await setting();
    const id = await send('ada@example.net');
    const app = express();
    app.use(express.urlencoded({ extended: false }));
    app.use((req, res, next) => toNodeHandler(relay)(req, res, next));
    const { url } = await serve(app);
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signature = createHmac('sha256', KEY).update(`${timestamp}twice`).digest('hex');
    const form = new URLSearchParams({
      event: 'bounced',
      code: '550',
      error: '5.1.1 no',
      recipient: 'ada@example.net',
    });
    const signed = { timestamp, token: 'twice', signature };
    for (const name of Object.keys(signed)) form.append(name, 'a variable of the mail');
    for (const [name, value] of Object.entries(signed)) form.append(name, value);
    form.append('mail_relay_delivery', id);
    expect((await fetch(`${url}/mail/hooks/mailgun`, { method: 'POST', body: form })).status).toBe(200);
    expect(await state(id)).toBe('bounced');
  });
});
