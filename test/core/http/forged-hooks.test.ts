import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { type MailRelay, smtp, type WebhookOptions } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';
import { smtpServer } from '../../support/smtp.ts';

const SECRET = 'a-secret-of-16-chars';
const SVIX = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const KEY = 'mail_relay_delivery';
const ROUNDS = 60;

interface Hook {
  readonly path: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Provider {
  readonly options: WebhookOptions;
  /** A webhook that says that the mail bounced for good, and one that says that it arrived. */
  make(what: 'bounced' | 'delivered', id: string, number: number): Hook;
  /** The body is not signed: whoever has a proof could say anything with it. */
  readonly bodyIsOpen?: true;
}

const seconds = (): string => String(Math.floor(Date.now() / 1000));
const basic = { authorization: `Basic ${Buffer.from('user:a password').toString('base64')}` };
const gate = { user: 'user', pass: 'a password' };
const WORDS = '550 5.1.1 User unknown';

const PROVIDERS: Readonly<Record<string, Provider>> = {
  sendgrid: {
    options: { sendgrid: { publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') } },
    make(what, id, number) {
      const event = what === 'bounced' ? { event: 'bounce', type: 'bounce', reason: WORDS } : { event: 'delivered' };
      const said = { ...event, email: 'ada@example.net', sg_event_id: `e${number}`, timestamp: Number(seconds()) };
      const body = JSON.stringify([{ ...said, [KEY]: id }]);
      const at = seconds();
      const signature = createSign('sha256')
        .update(at + body)
        .sign(privateKey, 'base64');
      const prefix = 'x-twilio-email-event-webhook';
      return {
        path: 'sendgrid',
        body,
        headers: { [`${prefix}-timestamp`]: at, [`${prefix}-signature`]: signature },
      };
    },
  },
  resend: {
    options: { resend: { signingSecret: `whsec_${SVIX}` } },
    make(what, id, number) {
      const body = JSON.stringify({
        type: `email.${what}`,
        created_at: new Date().toISOString(),
        data: { to: ['ada@example.net'], tags: { [KEY]: id }, bounce: { type: 'Permanent', message: WORDS } },
      });
      const [name, at] = [`msg_${number}`, seconds()];
      const mac = createHmac('sha256', Buffer.from(SVIX, 'base64')).update(`${name}.${at}.${body}`).digest('base64');
      return {
        path: 'resend',
        body,
        headers: { 'svix-id': name, 'svix-timestamp': at, 'svix-signature': `v1,${mac}` },
      };
    },
  },
  mailgun: {
    options: { mailgun: { signingKey: 'key' } },
    bodyIsOpen: true,
    make(what, id, number) {
      const [timestamp, token] = [seconds(), `token-${number}`.padEnd(50, 'x')];
      const signature = createHmac('sha256', 'key')
        .update(timestamp + token)
        .digest('hex');
      const failed = { event: 'failed', severity: 'permanent', 'delivery-status': { code: 550, message: WORDS } };
      const event = what === 'bounced' ? failed : { event: 'delivered' };
      const about = { id: `m${number}`, timestamp: Number(timestamp), recipient: 'ada@example.net' };
      const data = { ...event, ...about, 'user-variables': { [KEY]: id } };
      const body = JSON.stringify({ signature: { timestamp, token, signature }, 'event-data': data });
      return { path: 'mailgun', body, headers: {} };
    },
  },
  brevo: {
    options: { brevo: { token: 'a-token-of-ours' } },
    bodyIsOpen: true,
    make: (what, id) => ({
      path: 'brevo',
      body: JSON.stringify({
        event: what === 'bounced' ? 'hard_bounce' : 'delivered',
        email: 'ada@example.net',
        reason: WORDS,
        'X-Mailin-custom': `${KEY}:${id}`,
      }),
      headers: { authorization: 'Bearer a-token-of-ours' },
    }),
  },
  sarbacane: {
    options: { sarbacane: { secret: SECRET } },
    bodyIsOpen: true,
    make: (what, id) => ({
      path: `sarbacane/${SECRET}`,
      body: JSON.stringify({ status: what, description: WORDS, meta: { [KEY]: id } }),
      headers: {},
    }),
  },
  postmark: {
    options: { postmark: gate },
    bodyIsOpen: true,
    make(what, id, number) {
      const bounce = { RecordType: 'Bounce', Type: 'HardBounce', ID: number, Details: WORDS };
      const said = what === 'bounced' ? bounce : { RecordType: 'Delivery' };
      const body = JSON.stringify({ ...said, Recipient: 'ada@example.net', Metadata: { [KEY]: id } });
      return { path: 'postmark', body, headers: basic };
    },
  },
  mailjet: {
    options: { mailjet: gate },
    bodyIsOpen: true,
    make(what, id) {
      const bounce = { event: 'bounce', hard_bounce: true, error: 'user unknown', error_related_to: 'recipient' };
      const said = what === 'bounced' ? bounce : { event: 'sent' };
      return {
        path: 'mailjet',
        body: JSON.stringify([{ ...said, email: 'ada@example.net', CustomID: id }]),
        headers: basic,
      };
    },
  },
  sparkpost: {
    options: { sparkpost: { token: 'a-token-of-ours' } },
    bodyIsOpen: true,
    make(what, id, number) {
      const said =
        what === 'bounced' ? { type: 'bounce', bounce_class: '10', raw_reason: WORDS } : { type: 'delivery' };
      const event = { ...said, event_id: `s${number}`, rcpt_to: 'ada@example.net', rcpt_meta: { [KEY]: id } };
      const body = JSON.stringify([{ msys: { message_event: event } }]);
      return { path: 'sparkpost', body, headers: { 'x-messagesystems-webhook-token': 'a-token-of-ours' } };
    },
  },
};

/** The same numbers for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Another letter at some place. */
function bent(text: string, next: (below: number) => number): string {
  const at = next(text.length);
  const other = String.fromCharCode(33 + ((text.charCodeAt(at) - 33 + 1 + next(90)) % 94));
  return text.slice(0, at) + other + text.slice(at + 1);
}

/** A webhook that the provider did not send, out of one that it did. */
function forgery(hook: Hook, provider: Provider, next: (below: number) => number): Hook {
  const names = Object.keys(hook.headers);
  const kind = next(5);
  const name = names[next(names.length)];
  if (kind === 0 && name !== undefined) {
    const { [name]: _, ...headers } = hook.headers;
    return { ...hook, headers };
  }
  if (kind === 1 && name !== undefined) {
    // The name of a scheme may have any case.
    const [scheme = '', proof] = (hook.headers[name] ?? '').split(/(?<=^(?:Basic|Bearer) )/);
    const value = proof === undefined ? bent(scheme, next) : scheme + bent(proof, next);
    return { ...hook, headers: { ...hook.headers, [name]: value } };
  }
  if (kind === 2 && hook.path.includes('/')) return { ...hook, path: bent(hook.path, next).replace(/[?#%\\]/g, 'x') };
  const cut = hook.body.slice(0, next(hook.body.length));
  // Of what is cut nothing can be read, whoever sent it.
  if (provider.bodyIsOpen) return kind === 3 ? { ...hook, body: cut } : unproven(hook, next);
  if (kind === 3) return { ...hook, body: cut };
  return { ...hook, body: kind === 4 ? `${hook.body}${' '.repeat(1 + next(3))}` : bent(hook.body, next) };
}

/** Proof of something else, where the proof stands in the body, the path or a header. */
function unproven(hook: Hook, next: (below: number) => number): Hook {
  const signed = /"(timestamp|token|signature)":"([^"]+)"/.exec(hook.body);
  if (signed !== null)
    return { ...hook, body: hook.body.replace(signed[2] as string, (text) => bent(text, next).replace(/["\\]/g, 'x')) };
  if (hook.path.includes('/')) return { ...hook, path: `${hook.path.split('/')[0]}/${SECRET}x` };
  return { ...hook, headers: { authorization: 'Bearer another-token' } };
}

describe('webhooks that the provider did not send', () => {
  it.each(Object.entries(PROVIDERS))('%s: change nothing, cut, bent or without proof', async (_, provider) => {
    const { relay, ids, post } = await setting(provider, 2);
    const [id = '', other = ''] = ids;
    const next = numbers(20_261_125);
    const statuses = new Set<number>();
    for (let round = 0; round < ROUNDS; round++) {
      const hook = forgery(provider.make('bounced', id, round), provider, next);
      statuses.add(await post(hook));
    }
    expect([...statuses].filter((status) => status !== 400 && status !== 401 && status !== 404)).toEqual([]);
    expect(await stateOf(relay, id)).toBe('sent');
    expect(await relay.reports.summary()).toMatchObject({ bounced: 0, complained: 0 });
    expect((await relay.suppressions.list()).items).toEqual([]);
    expect((await relay.feedback.unmatched()).items).toEqual([]);
    // Not that it would refuse all of them.
    expect(await post(provider.make('bounced', other, ROUNDS))).toBe(200);
    expect(await stateOf(relay, other)).toBe('bounced');
  });

  it.each(Object.entries(PROVIDERS))(
    '%s: change nothing where they come again, and nothing in another order',
    async (_, provider) => {
      const { relay, ids, post } = await setting(provider, 2);
      const [first = '', second = ''] = ids;
      const hooks = [first, second].map((id, index) => [
        provider.make('delivered', id, 10 + index),
        provider.make('bounced', id, 20 + index),
      ]);
      const order = [...(hooks[0] ?? []), ...(hooks[1] ?? []).toReversed()];
      for (const hook of order) expect(await post(hook)).toBe(200);
      const now = async () => ({
        states: [await stateOf(relay, first), await stateOf(relay, second)],
        report: { ...(await relay.reports.summary()), from: undefined, to: undefined },
        events: (await relay.messages.get(first))?.events.length,
        suppressed: (await relay.suppressions.list()).items,
      });
      const before = await now();
      expect(before.states).toEqual(['bounced', 'bounced']);
      for (const hook of [...order, ...order.toReversed()]) expect([200, 406]).toContain(await post(hook));
      expect(await now()).toEqual(before);
    },
  );
});

async function stateOf(relay: MailRelay, id: string): Promise<string | undefined> {
  return (await relay.messages.get(id))?.deliveries[0]?.state;
}

async function setting({ options }: Provider, mails: number) {
  const server = await smtpServer();
  const quiet = (): void => {};
  const relay = relayWith({
    routes: [smtp(`smtp://127.0.0.1:${server.port}`)],
    thread: false,
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    webhooks: options,
  });
  const ids: string[] = [];
  for (let mail = 0; mail < mails; mail++) {
    const { deliveries } = await relay.send({ to: 'ada@example.net', subject: 'Hello', text: 'Hello' });
    ids.push(deliveries[0]?.id ?? '');
  }
  await vi.waitFor(async () =>
    expect(await Promise.all(ids.map((id) => stateOf(relay, id)))).toEqual(ids.map(() => 'sent')),
  );
  const post = async ({ path, body, headers }: Hook): Promise<number> => {
    const url = `http://localhost:3000/mail/hooks/${path}`;
    const request = new Request(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
    return (await relay.handle(request))?.status ?? 404;
  };
  return { relay, ids, post };
}
