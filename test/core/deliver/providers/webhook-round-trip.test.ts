/** What a mail tells its provider comes back in the provider's webhooks, and finds the delivery again. */
import { createHmac, createSign, generateKeyPairSync, sign } from 'node:crypto';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import {
  brevo,
  type MailRelayOptions,
  mailgun,
  type RouteSpec,
  sarbacane,
  sendgrid,
  ses,
} from '../../../../packages/core/src/index.ts';
import { toNodeHandler } from '../../../../packages/core/src/node/index.ts';
import { localhostCertificate } from '../../../support/certificate.ts';
import { relayWith } from '../../../support/relay.ts';
import { serve } from '../../http/support.ts';
import { header, json, type Server, server } from './setting.ts';

const SNS = 'https://sns.eu-west-3.amazonaws.com/SimpleNotificationService-0123.pem';
const pages = vi.hoisted(() => ({ certificate: '' }));
vi.mock('../../../../packages/core/src/http/get-text.ts', () => ({ getText: async () => pages.certificate }));

const TOPIC = 'arn:aws:sns:eu-west-3:123456789012:mail';
const SECRET = 'a-secret-of-16-chars';
const TOKEN = 'token-of-this-test';
const event = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let snsKey = '';
beforeAll(() => {
  const { key, cert } = localhostCertificate(['sns.amazonaws.com'], 'rsa');
  snsKey = key;
  pages.certificate = cert;
});

const TO = 'ada@example.net';
const now = (): number => Math.floor(Date.now() / 1000);

interface Hook {
  readonly path: string;
  readonly body: string;
  readonly headers?: Record<string, string>;
}

interface Case {
  readonly route: (server: Server) => RouteSpec;
  readonly webhooks: NonNullable<MailRelayOptions['webhooks']>;
  /** A bounce as the provider tells it, out of nothing but what its server was given with the mail. */
  hook(source: string): Hook;
}

const CASES: Readonly<Record<string, Case>> = {
  // https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html: each tag is a list.
  ses: {
    route: (server) => ses({ region: 'eu-west-3', user: 'AKIA', pass: 'secret', configurationSet: 'news', server }),
    webhooks: { ses: { topics: [TOPIC] } },
    hook(source) {
      const pairs = header(source, 'X-SES-MESSAGE-TAGS')
        .split(/,\s*/)
        .map((tag) => tag.split('='));
      const said = {
        eventType: 'Bounce',
        mail: {
          messageId: '0102',
          destination: [TO],
          tags: Object.fromEntries(pairs.map(([name, value]) => [name, [value]])),
        },
        bounce: { bounceType: 'Permanent', bounceSubType: 'NoEmail', bouncedRecipients: [{ emailAddress: TO }] },
      };
      const fields: Record<string, string> = {
        Message: JSON.stringify(said),
        MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
        Timestamp: new Date().toISOString(),
        TopicArn: TOPIC,
        Type: 'Notification',
      };
      const text = Object.entries(fields).flat().join('\n');
      const signature = createSign('RSA-SHA256').update(`${text}\n`).sign(snsKey, 'base64');
      const envelope = { ...fields, SignatureVersion: '2', SigningCertURL: SNS, Signature: signature };
      return { path: 'ses', body: JSON.stringify(envelope) };
    },
  },
  // https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event: unique arguments stand beside the fields.
  sendgrid: {
    route: (server) => sendgrid({ apiKey: 'secret', server }),
    webhooks: {
      sendgrid: { publicKey: event.publicKey.export({ type: 'spki', format: 'der' }).toString('base64') },
    },
    hook(source) {
      const { unique_args, category } = json(source, 'X-SMTPAPI');
      const bounce = { email: TO, timestamp: now(), event: 'bounce', type: 'bounce', reason: '550 5.1.1 unknown' };
      const body = JSON.stringify([{ ...bounce, category, ...(unique_args as object) }]);
      const timestamp = String(now());
      return {
        path: 'sendgrid',
        body,
        headers: {
          'X-Twilio-Email-Event-Webhook-Timestamp': timestamp,
          'X-Twilio-Email-Event-Webhook-Signature': sign(
            'sha256',
            Buffer.from(timestamp + body),
            event.privateKey,
          ).toString('base64'),
        },
      };
    },
  },
  // https://documentation.mailgun.com/docs/mailgun/user-manual/events/webhooks
  mailgun: {
    route: (server) => mailgun({ user: 'postmaster@mg.example.com', pass: 'secret', server }),
    webhooks: { mailgun: { signingKey: 'key-of-this-test' } },
    hook(source) {
      const [timestamp, token] = [String(now()), 'a'.repeat(50)];
      const signature = createHmac('sha256', 'key-of-this-test')
        .update(timestamp + token)
        .digest('hex');
      const data = {
        id: 'Ase7i2zsRYeDXztHGENqRA',
        event: 'failed',
        severity: 'permanent',
        timestamp: now(),
        recipient: TO,
        'delivery-status': { code: 550, message: '5.1.1 unknown' },
        'user-variables': json(source, 'X-Mailgun-Variables'),
      };
      return {
        path: 'mailgun',
        body: JSON.stringify({ signature: { timestamp, token, signature }, 'event-data': data }),
      };
    },
  },
  // https://developers.brevo.com/docs/transactional-webhooks: the header comes back as it was.
  brevo: {
    route: (server) => brevo({ user: 'ada@example.com', key: 'secret', server }),
    webhooks: { brevo: { token: TOKEN } },
    hook(source) {
      const bounce = { event: 'hard_bounce', email: TO, reason: '550 5.1.1 unknown', ts_event: now() };
      const tags = header(source, 'X-Mailin-Tag').split(',');
      return {
        path: 'brevo',
        body: JSON.stringify({ ...bounce, tags, 'X-Mailin-custom': header(source, 'X-Mailin-custom') }),
        headers: { authorization: `Bearer ${TOKEN}` },
      };
    },
  },
  // https://docs.tipimail.com/en/integrate/webhooks: nothing is signed, the path has a secret.
  sarbacane: {
    route: (server) => sarbacane({ user: 'account', apiKey: 'secret', server }),
    webhooks: { sarbacane: { secret: SECRET } },
    hook(source) {
      const bounce = { status: 'bounced', description: '550 5.1.1 unknown', timestamp: now() };
      const more = { meta: json(source, 'X-TM-META'), tags: json(source, 'X-TM-TAGS') };
      return { path: `sarbacane/${SECRET}`, body: JSON.stringify({ ...bounce, ...more }) };
    },
  },
};

describe.each(Object.entries(CASES))('%s', (name, { route, webhooks, hook }) => {
  it('tells of a bounce with what it was told of the mail, and the delivery is found', async () => {
    const { mails, options } = await server();
    const relay = relayWith({ thread: false, routes: [route(options)], webhooks });
    const bounced: unknown[] = [];
    relay.on(
      'bounced',
      ({ deliveryId, foundBy, source, reason }) => void bounced.push({ deliveryId, foundBy, source, reason }),
    );
    const handler = toNodeHandler(relay);
    const { url } = await serve((request, response) => handler(request, response));
    const mail = { subject: 'Hi', text: 'Hi', campaign: 'Printemps été', tags: ['welcome', 'été'] };
    const { id, deliveries } = await relay.send({ ...mail, to: TO });
    const other = await relay.send({ ...mail, to: 'bob@example.net' });
    const states = async (message: string) => (await relay.messages.get(message))?.deliveries.map(({ state }) => state);
    for (const one of [id, other.id]) await vi.waitFor(async () => expect(await states(one)).toEqual(['sent']));

    const { path, body, headers = {} } = hook(mails.find(({ to }) => to === TO)?.source ?? '');
    const post = (path: string, headers: Record<string, string>, body: string): Promise<Response> =>
      fetch(`${url}/mail/hooks/${path}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
      });
    // What is changed, or comes without its proof, is refused.
    const forged =
      name === 'brevo'
        ? body
        : body
            .replace('Permanent', 'Transient')
            .replace(/"a{50}"/, '"b"')
            .replace('unknown', 'other');
    expect((await post(path.replace(SECRET, 'another-secret-16'), {}, forged)).status).toBe(401);
    expect(await states(id)).toEqual(['sent']);

    expect((await post(path, headers, body)).status).toBe(200);
    expect(await states(id)).toEqual(['bounced']);
    expect(await states(other.id)).toEqual(['sent']);
    expect(bounced).toEqual([
      { deliveryId: deliveries[0]?.id, foundBy: 'id', source: name, reason: 'no-such-mailbox' },
    ]);
    await relay.stop();
  });
});
