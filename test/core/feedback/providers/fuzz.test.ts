import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { configureWebhooks } from '../../../../packages/core/src/feedback/providers/configure.ts';
import { NOW, request, SECRET, tools } from './support.ts';

const PUBLIC_KEY =
  'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==';
const shared = { secret: SECRET };
const all = configureWebhooks(
  {
    ses: { topics: ['arn:aws:sns:eu-west-3:123456789012:mail'], secret: SECRET },
    sendgrid: { publicKey: PUBLIC_KEY },
    mailgun: { signingKey: 'key' },
    resend: { signingSecret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' },
    ...{ brevo: shared, sarbacane: shared, postmark: shared, mailjet: shared, sparkpost: shared },
  },
  {},
);

/** Words that providers use as names and values. */
const WORDS =
  'event event-data events status type data mail bounce bouncedRecipients emailAddress delivery recipients complaint open click email recipient to timestamp ts_epoch message headers message-id signature token msys message_event RecordType Type Message TopicArn Subject notificationType eventType tags X-Mailin-custom meta user-variables client-info reason severity delivered bounced hard_bounce failed permanent Bounce Notification HardBounce email.bounced OPEN __proto__ constructor toString length'.split(
    ' ',
  );

/** The same numbers for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function value(next: (below: number) => number, depth: number): unknown {
  const word = (): string => WORDS[next(WORDS.length)] as string;
  const kind = next(depth > 4 ? 6 : 9);
  if (kind < 3) return word();
  if (kind === 3) return [null, true, false, 0, -1, 1e21, 1764072000, 1764072000123][next(8)];
  if (kind === 4)
    return ['', ' ', '\u0000', 'ada@example.com', '<a@b.example>', 'smtp; 550 5.1.1 x', '{', '{"a":'][next(8)];
  if (kind === 5) return 'x'.repeat(next(3000));
  if (kind === 6) return Array.from({ length: next(4) }, () => value(next, depth + 1));
  return Object.fromEntries(Array.from({ length: next(7) }, () => [word(), value(next, depth + 1)]));
}

/** A webhook of each kind, of which parts are put elsewhere. */
const SEEDS: readonly object[] = [
  {
    eventType: 'Bounce',
    mail: { messageId: '1', destination: ['a@b.example'], headers: [{ name: 'Message-ID', value: '<1@b>' }], tags: {} },
    bounce: {
      bounceType: 'Permanent',
      bouncedRecipients: [{ emailAddress: 'a@b.example', diagnosticCode: 'smtp; 550 x' }],
    },
  },
  {
    Type: 'Notification',
    Message: '{"notificationType":"Complaint","mail":{"destination":["a@b.example"]},"complaint":{}}',
    TopicArn: 'arn',
  },
  {
    event: 'bounce',
    email: 'a@b.example',
    reason: '550 5.1.1 x',
    timestamp: 1764072000,
    sg_event_id: '1',
    'smtp-id': '<1@b>',
  },
  {
    signature: { timestamp: '1', token: 't', signature: 's' },
    'event-data': {
      event: 'failed',
      severity: 'permanent',
      'delivery-status': { code: 550, message: 'x' },
      message: { headers: { 'message-id': '1@b' } },
    },
  },
  {
    event: 'hard_bounce',
    email: 'a@b.example',
    'message-id': '<1@b>',
    ts_epoch: 1764072000123,
    'X-Mailin-custom': 'a:b|c:d',
  },
  { status: 'bounced', email: 'a@b.example', meta: { a: 1 }, description: '550 x', date: '1764072000' },
  {
    RecordType: 'Bounce',
    Type: 'HardBounce',
    Email: 'a@b.example',
    Details: '550 x',
    BouncedAt: '2026-11-25T10:00:00Z',
  },
  { event: 'click', email: 'a@b.example', url: 'https://example.com', time: 1764072000, Payload: '{"a":1}' },
  {
    type: 'email.bounced',
    created_at: '2026-11-25T10:00:00Z',
    data: { to: ['a@b.example'], bounce: { type: 'Permanent', message: '550 x' }, tags: [{ name: 'a', value: 'b' }] },
  },
  {
    msys: {
      message_event: { type: 'bounce', bounce_class: '10', raw_reason: '550 x', rcpt_to: 'a@b.example', rcpt_meta: {} },
    },
  },
];

function mutated(seed: unknown, next: (below: number) => number): unknown {
  if (next(12) === 0) return value(next, 2);
  if (Array.isArray(seed)) return next(6) === 0 ? seed[0] : seed.map((item) => mutated(item, next));
  if (typeof seed !== 'object' || seed === null) return next(10) === 0 ? [seed] : seed;
  return Object.fromEntries(Object.entries(seed).map(([name, item]) => [name, mutated(item, next)]));
}

/** Forms of a body: JSON, JSON in JSON, forms, cut or with other bytes in it. */
function body(next: (below: number) => number): Buffer {
  const json = JSON.stringify(mutated(SEEDS[next(SEEDS.length)], next)) ?? 'null';
  const forms = [
    json,
    json,
    `[${json}]`,
    `data=${encodeURIComponent(json)}`,
    encodeURIComponent(json),
    JSON.stringify({ Type: 'Notification', Message: json }),
  ];
  const bytes = Buffer.from(forms[next(forms.length)] as string);
  if (next(4) === 0 && bytes.length > 0) bytes[next(bytes.length)] = next(256);
  return next(5) === 0 ? bytes.subarray(0, next(bytes.length + 1)) : bytes;
}

describe('webhooks with anything in them', () => {
  it.each([...all])('%s: are verified and read without a throw, and what comes out is whole', async (name, made) => {
    const next = numbers(20_261_125);
    let events = 0;
    for (let round = 0; round < 1500; round += 1) {
      const headers = next(2) === 0 ? { 'content-type': 'multipart/form-data; boundary=x' } : {};
      const hook = request(body(next), headers);
      await made.verify(hook, tools());
      for (const event of (await made.read(hook, tools())) ?? []) {
        events += 1;
        expect(event.id.length).toBeGreaterThan(0);
        expect(Number.isSafeInteger(event.at) && event.at <= NOW + 3_600_000).toBe(true);
        expect(event.source).toBe(name === 'tipimail' ? 'sarbacane' : name);
        expect((event.raw ?? '').length).toBeLessThanOrEqual(8192);
        expect((event.diagnostic ?? '').length).toBeLessThanOrEqual(1000);
      }
    }
    expect(events).toBeGreaterThan(20);
  });

  it.each([...all])('%s: bombs are read in bounded time', async (_name, made) => {
    const deep = (open: string, close: string): string => open.repeat(200_000) + close.repeat(200_000);
    const bombs = [
      deep('[', ']'),
      deep('{"a":', '}').replace('}', '1}'),
      '['.repeat(1_000_000),
      `{"event":"${'\\u0041'.repeat(500_000)}"}`,
      'a=1&'.repeat(300_000),
      '%'.repeat(1_000_000),
      `%7B${'%E9'.repeat(1_000_000)}`,
      '+'.repeat(3_000_000),
      Array.from({ length: 300_000 }, (_, number) => `a${number}=`).join('&'),
      `{"event":"bounce","reason":"${'550 '.repeat(200_000)}"}`,
      `{"X-Mailin-custom":"${'|'.repeat(500_000)}","event":"delivered"}`,
    ];
    for (const bomb of bombs) {
      const started = performance.now();
      const hook = request(bomb);
      await made.verify(hook, tools());
      await made.read(hook, tools());
      // A machine that is busy may take ten times as long; what grows with the square takes minutes.
      expect(performance.now() - started).toBeLessThan(5000);
    }
  });

  it('are forms of so many fields that nobody sent them: bombs of those are not even taken apart', async () => {
    const mailgun = all.get('mailgun');
    const part = (number: number): string => `--b\r\nContent-Disposition: form-data; name="a${number}"\r\n\r\n1\r\n`;
    const multipart = (count: number): string =>
      `${Array.from({ length: count }, (_, number) => part(number)).join('')}--b--\r\n`;
    const pairs = (count: number): string => Array.from({ length: count }, (_, number) => `a${number}=1`).join('&');
    const read = (body: string, type: string): unknown =>
      mailgun?.read(request(body, { 'content-type': type }), tools());
    const types = ['multipart/form-data; boundary=b', 'application/x-www-form-urlencoded'] as const;
    expect(await read(multipart(1900), types[0])).toEqual([]);
    expect(await read(multipart(2100), types[0])).toBeUndefined();
    expect(await read(pairs(1900), types[1])).toEqual([]);
    expect(await read(pairs(2100), types[1])).toBeUndefined();
  });

  it('are refused where the signature of one stands on another', async () => {
    const mailgun = all.get('mailgun');
    const seconds = String(NOW / 1000);
    const signature = createHmac('sha256', 'other key').update(`${seconds}token`).digest('hex');
    const forged = request({ signature: { timestamp: seconds, token: 'token', signature }, 'event-data': {} });
    expect(await mailgun?.verify(forged, tools())).toMatchObject({ ok: false });
  });
});
