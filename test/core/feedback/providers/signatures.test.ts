import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { configureWebhooks } from '../../../../packages/core/src/feedback/providers/configure.ts';
import { verifyStandard } from '../../../../packages/core/src/feedback/providers/standard-webhooks.ts';
import { isMailRelayError } from '../../../../packages/core/src/index.ts';
import { NOW, provider, request, SECRET, tools } from './support.ts';

/** Published with SendGrid's own libraries; the line end belongs to it. */
const SENDGRID = {
  key: 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==',
  signature: 'MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=',
  timestamp: '1600112502',
  body: '[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA","sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0","smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n',
} as const;
const SIGNED_AT = Number(SENDGRID.timestamp) * 1000;

describe('SendGrid', () => {
  const sendgrid = provider('sendgrid', { sendgrid: { publicKey: SENDGRID.key } });
  const headers = {
    'X-Twilio-Email-Event-Webhook-Signature': SENDGRID.signature,
    'X-Twilio-Email-Event-Webhook-Timestamp': SENDGRID.timestamp,
  };
  const verdict = (body: string, more = {}, now = SIGNED_AT): unknown =>
    sendgrid.verify(request(body, { ...headers, ...more }), tools(now));

  it('takes the webhook that its libraries are tested with', () => {
    expect(verdict(SENDGRID.body)).toEqual({ ok: true });
  });

  it('refuses another body, time, signature, and what is old', () => {
    expect(verdict(SENDGRID.body.trimEnd())).toMatchObject({ ok: false });
    expect(verdict(SENDGRID.body.replace('hello', 'other'))).toMatchObject({ ok: false });
    expect(verdict(SENDGRID.body, { 'X-Twilio-Email-Event-Webhook-Timestamp': '1600112503' })).toMatchObject({
      ok: false,
    });
    expect(verdict(SENDGRID.body, { 'X-Twilio-Email-Event-Webhook-Signature': 'AAAA' })).toMatchObject({ ok: false });
    expect(verdict(SENDGRID.body, { 'X-Twilio-Email-Event-Webhook-Signature': '' })).toMatchObject({ ok: false });
    expect(verdict(SENDGRID.body, {}, SIGNED_AT + 601_000)).toMatchObject({
      ok: false,
      because: expect.stringMatching(/too long ago/),
    });
    expect(sendgrid.verify(request(SENDGRID.body), tools(SIGNED_AT))).toMatchObject({ ok: false });
  });

  it('takes one of several keys, and refuses that of another', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const other = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const both = provider('sendgrid', { sendgrid: { publicKey: [other, SENDGRID.key] } });
    expect(both.verify(request(SENDGRID.body, headers), tools(SIGNED_AT))).toEqual({ ok: true });
    const signature = sign('sha256', Buffer.from(SENDGRID.timestamp + SENDGRID.body), privateKey).toString('base64');
    expect(verdict(SENDGRID.body, { 'X-Twilio-Email-Event-Webhook-Signature': signature })).toMatchObject({
      ok: false,
    });
  });
});

describe('Standard Webhooks', () => {
  // The worked example of Svix and of the specification.
  const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
  const body = '{"test": 2432232314}';
  const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
  const at = 1_614_265_330_000;
  const verdict = (prefix: string, more: object = {}, now = at, said = body): unknown =>
    verifyStandard(
      request(said, {
        [`${prefix}-id`]: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        [`${prefix}-timestamp`]: '1614265330',
        [`${prefix}-signature`]: signature,
        ...more,
      }),
      { keys: [key], now, windowMs: 300_000 },
    );

  it('takes the published example under both names of the headers, also beside other signatures', () => {
    expect(verdict('svix')).toEqual({ ok: true });
    expect(verdict('webhook')).toEqual({ ok: true });
    expect(verdict('svix', { 'svix-signature': `v1a,AAAA v1,bm90LXRoaXM= ${signature}` })).toEqual({ ok: true });
  });

  it('refuses another body, id and time, another version, and what is old', () => {
    expect(verdict('svix', {}, at, '{"test": 2432232315}')).toMatchObject({ ok: false });
    expect(verdict('svix', { 'svix-id': 'msg_other' })).toMatchObject({ ok: false });
    expect(verdict('svix', { 'svix-timestamp': '1614265331' })).toMatchObject({ ok: false });
    expect(verdict('svix', { 'svix-signature': signature.replace('v1,', 'v2,') })).toMatchObject({ ok: false });
    expect(verdict('svix', {}, at + 301_000)).toMatchObject({ ok: false });
    expect(verdict('svix', {}, at - 301_000)).toMatchObject({ ok: false });
  });

  it('is what Resend signs with', () => {
    const resend = provider('resend', { resend: { signingSecret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' } });
    const headers = {
      'svix-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'svix-timestamp': '1614265330',
      'svix-signature': signature,
    };
    expect(resend.verify(request(body, headers), tools(at))).toEqual({ ok: true });
    expect(resend.verify(request(body), tools(at))).toMatchObject({ ok: false });
  });
});

describe('Mailgun', () => {
  const mailgun = provider('mailgun', { mailgun: { signingKey: 'key-of-this-test' } });
  const signed = (timestamp: string, token: string): object => ({
    timestamp,
    token,
    signature: createHmac('sha256', 'key-of-this-test')
      .update(timestamp + token)
      .digest('hex'),
  });
  const seconds = String(NOW / 1000);

  it('takes what is signed, as JSON and as a form, and gives the token away once', async () => {
    const signature = signed(seconds, 'a'.repeat(50));
    expect(await mailgun.verify(request({ signature, 'event-data': {} }), tools())).toEqual({
      ok: true,
      once: 'a'.repeat(50),
    });
    const form = new URLSearchParams({ ...signature, event: 'opened' }).toString();
    expect(
      await mailgun.verify(request(form, { 'content-type': 'application/x-www-form-urlencoded' }), tools()),
    ).toEqual({
      ok: true,
      once: 'a'.repeat(50),
    });
  });

  it('refuses another token, time or key, and what is old', async () => {
    const signature = signed(seconds, 'token');
    const verdict = async (more: object, now = NOW): Promise<unknown> =>
      mailgun.verify(request({ signature: { ...signature, ...more } }), tools(now));
    expect(await verdict({})).toMatchObject({ ok: true });
    expect(await verdict({ token: 'other' })).toMatchObject({ ok: false });
    expect(await verdict({ timestamp: `${Number(seconds) + 1}` })).toMatchObject({ ok: false });
    expect(await verdict({ signature: ['0'.repeat(64)] })).toMatchObject({ ok: false });
    expect(await verdict({ signature: null })).toMatchObject({ ok: false });
    expect(await verdict({}, NOW + 13 * 3_600_000)).toMatchObject({
      ok: false,
      because: expect.stringMatching(/too long ago/),
    });
    expect(await mailgun.verify(request('no form at all'), tools())).toMatchObject({ ok: false });
  });
});

describe('providers that sign nothing', () => {
  const basic = (text: string): { authorization: string } => ({
    authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  });

  it('show user and password, or a token', async () => {
    const byUser = provider('brevo', { brevo: { user: 'ada', pass: 'a:b' } });
    expect(await byUser.verify(request('{}', basic('ada:a:b')), tools())).toEqual({ ok: true });
    for (const wrong of [
      basic('ada:a'),
      basic('ada'),
      { authorization: 'Basic ???' },
      { authorization: 'Bearer a:b' },
      {},
    ])
      expect(await byUser.verify(request('{}', wrong as Record<string, string>), tools())).toMatchObject({ ok: false });
    const byToken = provider('brevo', { brevo: { token: 'secret token of ours'.replaceAll(' ', '-') } });
    expect(await byToken.verify(request('{}', { authorization: 'Bearer secret-token-of-ours' }), tools())).toEqual({
      ok: true,
    });
    expect(await byToken.verify(request('{}', { authorization: 'Bearer secret-token' }), tools())).toMatchObject({
      ok: false,
    });
    expect(await byToken.verify(request('{}'), tools())).toMatchObject({ ok: false });
  });

  it('show all that is configured', async () => {
    const both = provider('postmark', { postmark: { user: 'a', pass: 'b', secret: SECRET } });
    expect(both.secret).toEqual([SECRET]);
    expect(await both.verify(request('{}'), tools())).toMatchObject({ ok: false });
  });
});

describe('the option webhooks', () => {
  const refused = (options: object, env = {}): unknown => {
    try {
      configureWebhooks(options, env);
      return 'taken';
    } catch (error) {
      return isMailRelayError(error) ? error.message : error;
    }
  };

  it('says what is wrong or missing, and never a secret', () => {
    expect(refused({ sendgrid: {} })).toMatch(/`webhooks.sendgrid.publicKey` is missing.*SENDGRID_WEBHOOK_PUBLIC_KEY/);
    expect(refused({ sendgrid: { publicKey: 'bm8ga2V5' } })).toMatch(/verification key/);
    expect(refused({ ses: { topics: ['mail'] } })).toMatch(/ARNs/);
    expect(refused({ brevo: {} })).toMatch(/BREVO_WEBHOOK_SECRET/);
    expect(refused({ brevo: { user: 'a' } })).toMatch(/together/);
    expect(refused({ sarbacane: { secret: 'short' } })).toMatch(/16 to 200 characters/);
    expect(refused({ sarbacane: { secret: 'short' } })).not.toMatch(/short/);
    expect(refused({ resend: { signingSecret: 'whsec_AA' } })).toMatch(/whsec_/);
    expect(refused({ mandrill: {} })).toMatch(/`webhooks.mandrill` is not supported/);
    expect(refused({ others: [{ name: 'acme' }] })).toMatch(/defineProvider/);
    expect(refused({ mailgun: { signingKey: 'k', replayWindowMs: 20 * 86_400_000 } })).toMatch(/14 days/);
  });

  it('comes from the environment, too', () => {
    const env = { SARBACANE_WEBHOOK_SECRET: SECRET, MAILGUN_WEBHOOK_SIGNING_KEY: 'key', BREVO_WEBHOOK_TOKEN: 'token' };
    expect([...configureWebhooks({}, env).keys()].sort()).toEqual(['brevo', 'mailgun', 'sarbacane', 'tipimail']);
    expect([...configureWebhooks({}, {}).keys()]).toEqual([]);
  });
});
