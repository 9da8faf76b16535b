import { createSign } from 'node:crypto';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { smtp } from '../../../packages/core/src/index.ts';
import { localhostCertificate } from '../../support/certificate.ts';
import { relayWith } from '../../support/relay.ts';
import { smtpServer } from '../../support/smtp.ts';

const pages = vi.hoisted(() => ({ certificate: '', url: '', asked: [] as string[] }));
vi.mock('../../../packages/core/src/http/get-text.ts', () => ({
  getText: async (url: string) => {
    pages.asked.push(url);
    if (url !== pages.url) throw new Error(`no page ${url}`);
    return pages.certificate;
  },
}));

const TOPIC = 'arn:aws:sns:eu-west-3:123456789012:mail';
const THEIRS = 'arn:aws:sns:eu-west-3:999999999999:mail';
const SECRET = 'a-secret-of-16-chars';
const HOST = 'https://sns.eu-west-3.amazonaws.com';

type Envelope = Record<string, unknown>;

let key = '';
beforeAll(() => {
  const made = localhostCertificate(['sns.amazonaws.com'], 'rsa');
  key = made.key;
  pages.certificate = made.cert;
  pages.url = `${HOST}/SimpleNotificationService-0123.pem`;
});

/** What SES says of a mail that bounced for good. */
const bounce = (deliveryId: string): string =>
  JSON.stringify({
    eventType: 'Bounce',
    mail: { messageId: '0102', destination: ['ada@example.net'], tags: { mail_relay_delivery: [deliveryId] } },
    bounce: {
      bounceType: 'Permanent',
      bounceSubType: 'NoEmail',
      bouncedRecipients: [{ emailAddress: 'ada@example.net' }],
    },
  });

/** A message as SNS signs it. */
function signed(fields: Record<string, string>): Envelope {
  const envelope: Record<string, string> = {
    Type: 'Notification',
    MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
    TopicArn: TOPIC,
    Timestamp: new Date().toISOString(),
    SignatureVersion: '2',
    SigningCertURL: pages.url,
    ...fields,
  };
  const names = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'];
  const text = names.flatMap((name) => (envelope[name] === undefined ? [] : `${name}\n${envelope[name]}\n`)).join('');
  return { ...envelope, Signature: createSign('RSA-SHA256').update(text).sign(key, 'base64') };
}

async function setting(secret?: string) {
  const server = await smtpServer();
  const quiet = (): void => {};
  const relay = relayWith({
    routes: [smtp(`smtp://127.0.0.1:${server.port}`)],
    thread: false,
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    webhooks: { ses: { topics: [TOPIC], ...(secret === undefined ? {} : { secret }) } },
  });
  const { deliveries } = await relay.send({ to: 'ada@example.net', subject: 'Hello', text: 'Hello' });
  const id = deliveries[0]?.id ?? '';
  const state = async () => (await relay.messages.get(id))?.deliveries[0]?.state;
  await vi.waitFor(async () => expect(await state()).toBe('sent'));
  return {
    id,
    async post(body: unknown, headers: Record<string, string> = {}): Promise<number> {
      const path = secret === undefined ? 'ses' : `ses/${secret}`;
      const request = new Request(`http://localhost:3000/mail/hooks/${path}`, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        // As SNS sends it.
        headers: { 'content-type': 'text/plain; charset=UTF-8', 'x-amz-sns-topic-arn': TOPIC, ...headers },
      });
      return (await relay.handle(request))?.status ?? 404;
    },
    async expectNothing() {
      expect(await state()).toBe('sent');
      expect((await relay.suppressions.list()).items).toEqual([]);
      expect((await relay.feedback.unmatched()).items).toEqual([]);
    },
    async expectBounced() {
      expect(await state()).toBe('bounced');
      expect((await relay.suppressions.list()).items).toMatchObject([{ address: 'ada@example.net' }]);
    },
  };
}

describe('what claims to come from Amazon SNS', () => {
  it('changes nothing where something that is signed is changed, left out, or of another form', async () => {
    const { id, post, expectNothing, expectBounced } = await setting();
    const genuine = signed({ Message: bounce(id), Subject: 'Amazon SES Email Event Notification' });
    for (const name of Object.keys(genuine)) {
      const value = genuine[name] as string;
      const { [name]: _, ...rest } = genuine;
      const forms = [`${value} `, `x${value}`, [value], [value, value], { 0: value }, null, 0, ''];
      for (const body of [rest, ...forms.map((form) => ({ ...rest, [name]: form }))]) {
        // A certificate that cannot be had may be had later. A certificate in a list is the same one.
        if (name === 'SigningCertURL' || name === 'Signature' || name === 'SignatureVersion') {
          if (Array.isArray((body as Envelope)[name]) || (body as Envelope)[name] === `${value} `) continue;
          expect([401, 503], `${name} ${JSON.stringify((body as Envelope)[name])}`).toContain(await post(body));
        } else expect([400, 401], `${name} ${JSON.stringify((body as Envelope)[name])}`).toContain(await post(body));
      }
    }
    const text = JSON.stringify(genuine);
    for (let end = 0; end < text.length; end += 23) expect([400, 401]).toContain(await post(text.slice(0, end)));
    await expectNothing();
    expect(await post(genuine)).toBe(200);
    await expectBounced();
    expect(await post(genuine)).toBe(200);
  });

  it.each([
    ['without a secret', undefined],
    ['with a secret', SECRET],
  ])('changes nothing where it was published to a topic of somebody else, %s', async (_, secret) => {
    const { id, post, expectNothing, expectBounced } = await setting(secret);
    const now = new Date().toISOString();
    const theirs = signed({ Message: bounce(id), TopicArn: THEIRS, Timestamp: now });
    const { TopicArn, Timestamp, ...rest } = theirs;
    // The same text is signed, cut into fields at other places.
    const swallowed = `${theirs.MessageId}\nTimestamp\n${now}\nTopicArn\n${THEIRS}`;
    const prepared = signed({
      Message: `${bounce(id)}\nMessageId\nm-1\nTimestamp\n${new Date().toUTCString()} (`,
      TopicArn: THEIRS,
      Timestamp: now,
    });
    const words = `${new Date().toUTCString()} (\nMessageId\n${prepared.MessageId}\nTimestamp\n${now}\nTopicArn\n${THEIRS}`;
    const { TopicArn: __, ...untitled } = prepared;
    for (const body of [
      theirs,
      { ...theirs, TopicArn: TOPIC },
      { ...theirs, TopicArn: [TOPIC, THEIRS] },
      { ...rest, Timestamp },
      { ...rest, MessageId: swallowed, Timestamp: [now], TopicArn: [TOPIC] },
      { ...rest, MessageId: swallowed, Timestamp: [now] },
      { ...rest, Timestamp: `${now}\nTopicArn\n${THEIRS}`, TopicArn: [TOPIC] },
      { ...untitled, Message: bounce(id), MessageId: 'm-1', Timestamp: words },
      { ...untitled, Message: bounce(id), MessageId: 'm-1', Timestamp: words, TopicArn: [TOPIC] },
    ])
      expect(await post(body), JSON.stringify(body)).toBe(401);
    await expectNothing();
    expect(await post(signed({ Message: bounce(id) }))).toBe(200);
    await expectBounced();
  });

  it('changes nothing where it is old, in whatever way its time is told', async () => {
    const { id, post, expectNothing } = await setting();
    const before = new Date(Date.now() - 3 * 86_400_000).toISOString();
    const now = new Date().toISOString();
    const old = signed({ Message: bounce(id), Timestamp: before });
    const { MessageId } = old;
    for (const body of [
      old,
      { ...old, Timestamp: now },
      { ...old, Timestamp: [now] },
      { ...old, MessageId: `${MessageId}\nTimestamp\n${before}`, Timestamp: [now] },
      { ...old, Subject: `x\nTimestamp\n${before}`, Timestamp: now },
    ])
      expect(await post(body), JSON.stringify(body)).toBe(401);
    await expectNothing();
  });

  it('asks nobody but Amazon for a certificate, and keeps a good one while bad ones are named', async () => {
    const { id, post, expectNothing, expectBounced } = await setting();
    pages.asked.length = 0;
    const genuine = signed({ Message: bounce(id) });
    expect(await post(signed({ Message: '{"notificationType":"AmazonSnsSubscriptionSucceeded"}' }))).toBe(200);
    for (const SigningCertURL of [
      'https://evil.example/a.pem',
      'https://sns.eu-west-3.amazonaws.com@evil.example/a.pem',
      'https://evil.example/?https://sns.eu-west-3.amazonaws.com/a.pem',
      'https://evil.example\\@sns.eu-west-3.amazonaws.com/a.pem',
      'https://sns.eu-west-3.amazonaws.com:444/a.pem',
      'https://sns.eu-west-3.amazonaws.com.evil.example/a.pem',
      'https://sns.eu-west-3.amazonaws.com\u3002evil.example/a.pem',
      'https://sns.evil/a.pem?.amazonaws.com',
      'http://sns.eu-west-3.amazonaws.com/a.pem',
      'file:///etc/a.pem',
      'https://sns.eu-west-3.amazonaws.com/?a.pem',
      'https://sns.eu-west-3.amazonaws.com/a.pem#x',
    ])
      expect(await post({ ...genuine, SigningCertURL }), SigningCertURL).toBe(401);
    expect(pages.asked).toEqual([pages.url]);
    for (let number = 0; number < 40; number++)
      expect(await post({ ...genuine, SigningCertURL: `${HOST}/${number}.pem` })).toBe(503);
    await expectNothing();
    expect(await post(genuine)).toBe(200);
    await expectBounced();
    expect(pages.asked.filter((url) => url === pages.url)).toHaveLength(1);
  });
});
