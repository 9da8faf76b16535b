import { createHmac } from 'node:crypto';
import { expect, vi } from 'vitest';
import { type MailRelay, type MailRelayOptions, smtp } from '../../../packages/core/src/index.ts';
import { toNodeHandler } from '../../../packages/core/src/node/index.ts';
import { relayWith } from '../../support/relay.ts';
import { smtpServer } from '../../support/smtp.ts';
import { serve } from './support.ts';

export const SECRET: string = 'a-secret-of-16-chars';
export const KEY: string = 'key-of-this-test';
export const JSON_TYPE: Readonly<Record<string, string>> = { 'content-type': 'application/json' };

export interface Setting {
  readonly relay: MailRelay;
  readonly url: string;
  readonly warnings: string[];
  send(to: string): Promise<string>;
  state(id: string): Promise<string | undefined>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

export async function setting(options: MailRelayOptions = {}): Promise<Setting> {
  const server = await smtpServer();
  const warnings: string[] = [];
  const quiet = (): void => {};
  const warn = (fields: object): void => void warnings.push(JSON.stringify(fields));
  const relay = relayWith({
    routes: [smtp(`smtp://127.0.0.1:${server.port}`)],
    thread: false,
    logger: { debug: quiet, info: quiet, warn, error: quiet },
    webhooks: { brevo: { token: 'token-of-ours' }, sarbacane: { secret: SECRET }, mailgun: { signingKey: KEY } },
    ...options,
  });
  const handler = toNodeHandler(relay);
  const { url } = await serve((req, res) => handler(req, res));
  const state = async (id: string) => (await relay.messages.get(id))?.deliveries[0]?.state;
  return {
    relay,
    url,
    warnings,
    state,
    async send(to) {
      const { deliveries } = await relay.send({ to, subject: 'Hello', text: 'Hello' });
      const id = deliveries[0]?.id ?? '';
      await vi.waitFor(async () => expect(await state(id)).toBe('sent'));
      return id;
    },
    post: (path, body, headers = {}) =>
      fetch(`${url}/mail/hooks/${path}`, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { ...JSON_TYPE, ...headers },
      }),
  };
}

export const bearer: Readonly<Record<string, string>> = { authorization: 'Bearer token-of-ours' };
export const brevoBounce = (id: string, more: object = {}): object => ({
  event: 'hard_bounce',
  email: 'ada@example.net',
  reason: '550 5.1.1 user unknown',
  ts_event: Math.floor(Date.now() / 1000),
  'X-Mailin-custom': `mail_relay_delivery:${id}`,
  ...more,
});
export function mailgun(id: string, token: string, more: object = {}, seconds = Math.floor(Date.now() / 1000)): object {
  const timestamp = String(seconds);
  const signature = createHmac('sha256', KEY)
    .update(timestamp + token)
    .digest('hex');
  const data = {
    id: `event-${token}`,
    event: 'failed',
    severity: 'permanent',
    timestamp: seconds,
    recipient: 'ada@example.net',
  };
  const said = {
    'delivery-status': { code: 550, message: '5.1.1 user unknown' },
    'user-variables': { mail_relay_delivery: id },
  };
  return { signature: { timestamp, token, signature }, 'event-data': { ...data, ...said, ...more } };
}
