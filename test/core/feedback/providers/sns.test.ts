import { createSign } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { HookVerdict } from '../../../../packages/core/src/index.ts';
import { localhostCertificate } from '../../../support/certificate.ts';
import { provider, request, SECRET, tools } from './support.ts';

const TOPIC = 'arn:aws:sns:eu-west-3:123456789012:mail';
const CERTIFICATE = 'https://sns.eu-west-3.amazonaws.com/SimpleNotificationService-0123.pem';
const CONFIRM = `https://sns.eu-west-3.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=2336`;

type Envelope = Record<string, string>;

let certificate: { cert: string; key: string };
/** Certificates hold for a day around now. */
const now = Date.now();

beforeAll(() => {
  certificate = localhostCertificate(['sns.amazonaws.com'], 'rsa');
});

/** Text that is signed, written out as the documentation has it. */
function signedText(envelope: Envelope): string {
  const { Type, Message, MessageId, Subject, Timestamp, TopicArn, SubscribeURL, Token } = envelope;
  if (Type === 'Notification')
    return `Message\n${Message}\nMessageId\n${MessageId}\n${Subject === undefined ? '' : `Subject\n${Subject}\n`}Timestamp\n${Timestamp}\nTopicArn\n${TopicArn}\nType\n${Type}\n`;
  return `Message\n${Message}\nMessageId\n${MessageId}\nSubscribeURL\n${SubscribeURL}\nTimestamp\n${Timestamp}\nToken\n${Token}\nTopicArn\n${TopicArn}\nType\n${Type}\n`;
}

function signed(more: Envelope = {}): Envelope {
  const envelope: Envelope = {
    Type: 'Notification',
    MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
    TopicArn: TOPIC,
    Message:
      '{"notificationType":"Delivery","mail":{"messageId":"0102","destination":["ada@example.com"]},"delivery":{}}',
    Timestamp: new Date(now).toISOString(),
    SignatureVersion: '2',
    SigningCertURL: CERTIFICATE,
    ...more,
  };
  const algorithm = envelope.SignatureVersion === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
  const Signature = createSign(algorithm).update(signedText(envelope)).sign(certificate.key, 'base64');
  return { ...envelope, Signature, ...(more.Signature === undefined ? {} : { Signature: more.Signature }) };
}

const pages = (): Record<string, string> => ({
  [CERTIFICATE]: certificate.cert,
  [CONFIRM]: '<ConfirmSubscriptionResponse/>',
});
const made = (options = {}): ReturnType<typeof provider> => provider('ses', { ses: { topics: [TOPIC], ...options } });
const verdict = (envelope: unknown, at = now): HookVerdict | Promise<HookVerdict> =>
  made().verify(request(envelope), tools(at, pages()));

describe('Amazon SNS', () => {
  it('is verified by both versions of its signature, with and without a subject', async () => {
    expect(await verdict(signed())).toEqual({ ok: true });
    expect(await verdict(signed({ SignatureVersion: '1' }))).toEqual({ ok: true });
    expect(await verdict(signed({ Subject: 'Amazon SES Email Event Notification' }))).toEqual({ ok: true });
  });

  it('is refused where anything that is signed is changed', async () => {
    for (const name of ['Message', 'MessageId', 'Timestamp'])
      expect(await verdict({ ...signed(), [name]: `${signed()[name]} ` })).toMatchObject({ ok: false });
    expect(await verdict({ ...signed(), Subject: 'more' })).toMatchObject({ ok: false });
    expect(await verdict({ ...signed(), SignatureVersion: '1' })).toMatchObject({ ok: false });
    expect(await verdict({ ...signed(), SignatureVersion: '3' })).toMatchObject({ ok: false });
    expect(await verdict(signed({ Signature: 'AAAA' }))).toMatchObject({ ok: false });
  });

  it('is refused from another topic, and when it is old', async () => {
    const because = (text: RegExp): object => ({ ok: false, because: expect.stringMatching(text) });
    expect(await verdict(signed({ TopicArn: `${TOPIC}2` }))).toEqual(because(/topic/));
    const old = new Date(now - 25 * 3_600_000).toISOString();
    expect(await verdict(signed({ Timestamp: old }))).toEqual(because(/too long ago/));
  });

  it('gets certificates from Amazon only', async () => {
    const asked: string[] = [];
    const spying = {
      now,
      get: async (url: string) => {
        asked.push(url);
        return certificate.cert;
      },
    };
    for (const SigningCertURL of [
      'http://sns.eu-west-3.amazonaws.com/a.pem',
      'https://sns.eu-west-3.amazonaws.com.evil.example/a.pem',
      'https://evil.example/sns.eu-west-3.amazonaws.com/a.pem',
      'https://sns.eu-west-3.amazonaws.com@evil.example/a.pem',
      'https://user@sns.eu-west-3.amazonaws.com/a.pem',
      'https://sns.eu-west-3.amazonaws.com:8443/a.pem',
      'https://s3.eu-west-3.amazonaws.com/bucket/a.pem',
      'https://bucket.sns.eu-west-3.amazonaws.com/a.pem',
      'https://snsXeu-west-3.amazonaws.com/a.pem',
      'https://sns.eu-west-3.amazonaws.com/a.pem?x=1',
      'https://sns.eu-west-3.amazonaws.com/a.txt',
      'a.pem',
      '',
    ])
      expect(await made().verify(request(signed({ SigningCertURL })), spying)).toMatchObject({ ok: false });
    expect(asked).toEqual([]);
    const chinese = signed({ SigningCertURL: 'https://sns.cn-north-1.amazonaws.com.cn/a.pem' });
    expect(await made().verify(request(chinese), spying)).toEqual({ ok: true });
    expect(asked).toHaveLength(1);
  });

  it('gets a certificate once, and one that could not be had again after a minute', async () => {
    let asked = 0;
    let fails = true;
    const get = async (): Promise<string> => {
      asked += 1;
      if (fails) throw new Error('no answer');
      return certificate.cert;
    };
    const ses = made();
    const look = (at: number): Promise<unknown> | unknown => ses.verify(request(signed()), { now: at, get });
    await expect(look(now)).rejects.toThrow('no answer');
    fails = false;
    await expect(look(now + 1000)).rejects.toThrow('no answer');
    expect(asked).toBe(1);
    expect(await look(now + 61_000)).toEqual({ ok: true });
    expect(await look(now + 62_000)).toEqual({ ok: true });
    expect(asked).toBe(2);
  });

  it('takes no certificate that is out of date', async () => {
    const envelope = signed({ Timestamp: new Date(now + 3 * 86_400_000).toISOString() });
    expect(await verdict(envelope, now + 3 * 86_400_000)).toMatchObject({ ok: false });
  });

  it('has subscriptions of its topics confirmed at Amazon, and no others', async () => {
    const asked: string[] = [];
    const spying = {
      now,
      get: async (url: string) => {
        asked.push(url);
        return certificate.cert;
      },
    };
    const subscribe = { Type: 'SubscriptionConfirmation', Token: '2336', Message: 'You have chosen …' };
    const ses = made();
    const good = request(signed({ ...subscribe, SubscribeURL: CONFIRM }));
    expect(await ses.verify(good, spying)).toEqual({ ok: true });
    expect(await ses.read(good, spying)).toEqual([]);
    await ses.confirm?.(good, spying);
    expect(asked).toEqual([CERTIFICATE, CONFIRM]);
    const elsewhere = request(
      signed({ ...subscribe, SubscribeURL: 'https://evil.example/?Action=ConfirmSubscription' }),
    );
    expect(await ses.verify(elsewhere, spying)).toMatchObject({ ok: false });
    const other = request(signed({ ...subscribe, SubscribeURL: CONFIRM, TopicArn: `${TOPIC}2` }));
    expect(await ses.verify(other, spying)).toMatchObject({ ok: false });
    const leaving = request(signed({ ...subscribe, Type: 'UnsubscribeConfirmation', SubscribeURL: CONFIRM }));
    expect(await ses.verify(leaving, spying)).toEqual({ ok: true });
    await ses.confirm?.(leaving, spying);
    expect(asked).toEqual([CERTIFICATE, CONFIRM]);
  });

  it('is refused without its envelope, unless the path has a secret', async () => {
    const raw = '{"eventType":"Delivery","mail":{"messageId":"0102"},"delivery":{}}';
    const headers = { 'x-amz-sns-rawdelivery': 'true', 'x-amz-sns-topic-arn': TOPIC };
    expect(await made().verify(request(raw, headers), tools(now))).toEqual({
      ok: false,
      because: expect.stringMatching(/raw message delivery is not signed/),
    });
    const withSecret = made({ secret: SECRET });
    expect(withSecret.secret).toEqual([SECRET]);
    expect(await withSecret.verify(request(raw, headers), tools(now))).toEqual({ ok: true });
    expect(await withSecret.verify(request(raw), tools(now))).toMatchObject({ ok: false });
  });
});
