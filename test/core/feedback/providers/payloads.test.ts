import { describe, expect, it } from 'vitest';
import { DELIVERY, line, NOW, provider, read, SECRET } from './support.ts';

const KEY = 'mail_relay_delivery';
const PUBLIC_KEY =
  'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==';
type Row = readonly [payload: object, expected: string];

describe('SendGrid', () => {
  const sendgrid = provider('sendgrid', { sendgrid: { publicKey: PUBLIC_KEY } });
  const bounce = (reason: string, more: object = {}): object => ({ event: 'bounce', type: 'bounce', reason, ...more });
  const rows: readonly Row[] = [
    [{ event: 'delivered', response: '250 OK' }, 'delivered'],
    [
      bounce('500 unknown recipient', { status: '5.0.0', bounce_classification: 'Invalid Address' }),
      'bounced hard no-such-mailbox recipient',
    ],
    [
      bounce('550 5.1.1 The email account that you tried to reach does not exist.', { status: '5.1.1' }),
      'bounced hard no-such-mailbox recipient',
    ],
    [bounce('552 5.2.2 over quota', { type: 'blocked', status: '5.2.2' }), 'bounced soft mailbox-full recipient'],
    [bounce('550 5.7.1 blocked using zen.spamhaus.org', { type: 'blocked' }), 'bounced soft blocked-ip sender'],
    [
      bounce('something', { type: 'blocked', bounce_classification: 'Content' }),
      'bounced soft content-rejected message',
    ],
    [bounce('something', { bounce_classification: 'Invalid Address' }), 'bounced hard no-such-mailbox recipient'],
    [
      { event: 'deferred', response: '450 4.2.1 greylisted, try again later', attempt: '5' },
      'deferred soft greylisted receiver',
    ],
    [{ event: 'dropped', reason: 'Bounced Address' }, 'bounced hard policy sender'],
    [{ event: 'dropped', reason: 'Unsubscribed Address' }, 'bounced soft policy sender'],
    [{ event: 'dropped', reason: 'Spam Reporting Address' }, 'bounced soft policy sender'],
    [{ event: 'dropped', reason: 'Invalid SMTPAPI header' }, 'failed soft protocol sender'],
    [{ event: 'dropped', reason: 'Invalid' }, 'bounced hard no-such-mailbox recipient'],
    [{ event: 'spamreport' }, 'complained'],
    [{ event: 'group_unsubscribe', asm_group_id: 10 }, 'unsubscribed'],
    [{ event: 'unsubscribe' }, 'unsubscribed'],
    [{ event: 'open', sg_machine_open: false, useragent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' }, 'opened'],
    [{ event: 'click', url: 'https://example.com/' }, 'clicked'],
  ];
  it.each(rows)('reads %j as %s', async (payload, expected) => {
    expect((await read(sendgrid, [payload])).map(line)).toEqual([expected]);
  });

  it('finds the delivery by our argument, the Message-ID and its own id', async () => {
    const payload = {
      email: 'ada@example.com',
      timestamp: '1764072000',
      'smtp-id': '<1k2.abcdefgh@example.com>',
      event: 'bounce',
      reason: '550 5.1.1 unknown',
      sg_event_id: 'event-1',
      sg_message_id: '14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0',
      [KEY]: DELIVERY,
    };
    expect(await read(sendgrid, payload)).toMatchObject([
      {
        id: 'event-1',
        at: 1_764_072_000_000,
        source: 'sendgrid',
        deliveryId: DELIVERY,
        messageId: '1k2.abcdefgh@example.com',
        providerId: '14c5d75ce93.dfd.64b469',
        recipient: 'ada@example.com',
        status: '5.1.1',
        code: 550,
        diagnostic: '550 5.1.1 unknown',
      },
    ]);
    expect((await read(sendgrid, { ...payload, [KEY]: 'not ours' }))[0]?.deliveryId).toBeUndefined();
  });

  it('knows machines, and leaves out what is no feedback', async () => {
    const machine = { event: 'open', sg_machine_open: true, useragent: 'Mozilla/5.0' };
    expect((await read(sendgrid, [machine]))[0]?.agent).toMatchObject({ kind: 'privacy', evidence: 'sg_machine_open' });
    expect(
      await read(sendgrid, [{ event: 'processed' }, { event: 'group_resubscribe' }, { event: 'new' }, null, 7]),
    ).toEqual([]);
  });
});

describe('Mailgun', () => {
  const mailgun = provider('mailgun', { mailgun: { signingKey: 'key' } });
  const failed = (severity: string, status: object, reason = 'generic'): object => ({
    'event-data': { event: 'failed', severity, reason, 'delivery-status': status },
  });
  const rows: readonly Row[] = [
    [{ 'event-data': { event: 'delivered' } }, 'delivered'],
    [
      failed('permanent', { code: 550, message: '5.1.1 user unknown', 'enhanced-code': '5.1.1' }, 'bounce'),
      'bounced hard no-such-mailbox recipient',
    ],
    [
      failed(
        'permanent',
        { code: 605, message: '', description: 'Not delivering to previously bounced address' },
        'suppress-bounce',
      ),
      'bounced hard policy sender',
    ],
    [
      failed(
        'permanent',
        { code: 607, description: 'Not delivering to a user who marked your messages as spam' },
        'suppress-complaint',
      ),
      'bounced soft policy sender',
    ],
    [failed('permanent', { code: 552, message: '5.2.2 mailbox full' }), 'bounced soft mailbox-full recipient'],
    [failed('temporary', { code: 452, message: '4.2.2 mailbox full' }), 'deferred soft mailbox-full recipient'],
    [failed('temporary', { code: '421', message: 'rate limited' }, 'espblock'), 'deferred soft rate-limited sender'],
    [failed('permanent', { code: 498 }, 'old'), 'bounced soft expired network'],
    [
      { 'event-data': { event: 'rejected', reject: { reason: 'Sandbox subdomains are for test purposes only.' } } },
      'failed soft policy sender',
    ],
    [{ 'event-data': { event: 'opened', 'client-info': { 'user-agent': 'x' } } }, 'opened'],
    [{ 'event-data': { event: 'clicked', url: 'https://example.com' } }, 'clicked'],
    [{ 'event-data': { event: 'complained' } }, 'complained'],
    [{ 'event-data': { event: 'unsubscribed' } }, 'unsubscribed'],
  ];
  it.each(rows)('reads %j as %s', async (payload, expected) => {
    expect((await read(mailgun, payload)).map(line)).toEqual([expected]);
  });

  it('finds the delivery by our variable, and knows machines', async () => {
    const data = {
      event: 'opened',
      id: 'Ase7i2zsRYeDXztHGENqRA',
      timestamp: 1764072000.123,
      recipient: 'ada@example.com',
      message: { headers: { 'message-id': '1k2.abcdefgh@example.com' } },
      'user-variables': { [KEY]: DELIVERY },
      'client-info': { bot: 'apple', 'user-agent': 'Mozilla/5.0' },
    };
    const [event] = await read(mailgun, { 'event-data': data });
    expect(event).toMatchObject({
      at: 1_764_072_000_123,
      deliveryId: DELIVERY,
      messageId: '1k2.abcdefgh@example.com',
      recipient: 'ada@example.com',
      agent: { kind: 'privacy', evidence: 'mailgun-bot' },
    });
    expect((await read(mailgun, { 'event-data': data }))[0]?.id).toBe(event?.id);
    expect(await read(mailgun, { 'event-data': { event: 'accepted' } })).toEqual([]);
  });

  it('reads forms of before 2018, urlencoded and multipart', async () => {
    const fields = {
      event: 'bounced',
      recipient: 'ada@example.com',
      code: '550',
      error: '5.1.1 no such user',
      'Message-Id': '<1k2.abcdefgh@example.com>',
      timestamp: '1764072000',
      token: 't',
      signature: 's',
      [KEY]: DELIVERY,
    };
    const expected = {
      type: 'bounced',
      kind: 'hard',
      reason: 'no-such-mailbox',
      deliveryId: DELIVERY,
      messageId: '1k2.abcdefgh@example.com',
    };
    const urlencoded = new URLSearchParams(fields).toString();
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const [event] = await read(mailgun, urlencoded, type);
    expect(event).toMatchObject(expected);
    expect(event?.raw).not.toMatch(/signature|token/);
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('attachment-1', new Blob(['a mail']), 'bounce.eml');
    const response = new Response(form);
    const multipart = { 'content-type': response.headers.get('content-type') ?? '' };
    expect(await read(mailgun, new Uint8Array(await response.arrayBuffer()), multipart)).toMatchObject([expected]);
    // What a parser of the host makes of a multipart form is handed on urlencoded.
    expect(await read(mailgun, urlencoded, multipart)).toMatchObject([expected]);
  });
});

describe('Brevo', () => {
  const brevo = provider('brevo', { brevo: { secret: SECRET } });
  const rows: readonly Row[] = [
    [{ event: 'delivered' }, 'delivered'],
    [{ event: 'hard_bounce', reason: '550 5.1.1 user unknown' }, 'bounced hard no-such-mailbox recipient'],
    [{ event: 'hard_bounce' }, 'bounced hard no-such-mailbox recipient'],
    [{ event: 'soft_bounce', reason: '452 4.2.2 mailbox full' }, 'bounced soft mailbox-full recipient'],
    [{ event: 'blocked', reason: 'blocked : due to blacklist user' }, 'bounced soft policy sender'],
    [{ event: 'invalid_email' }, 'bounced hard no-such-mailbox recipient'],
    [{ event: 'deferred', reason: '421 4.7.0 greylisted' }, 'deferred soft greylisted receiver'],
    [{ event: 'error', reason: 'server error' }, 'failed soft system receiver'],
    [{ event: 'spam' }, 'complained'],
    [{ event: 'unique_opened' }, 'opened'],
    [{ event: 'click', link: 'https://example.com' }, 'clicked'],
    [{ event: 'unsubscribed' }, 'unsubscribed'],
    [{ event: 'unsubscribe', email: ['ada@example.com'], camp_id: 3 }, 'unsubscribed'],
  ];
  it.each(rows)('reads %j as %s', async (payload, expected) => {
    expect((await read(brevo, payload)).map(line)).toEqual([expected]);
  });

  it('finds the delivery by our header; proxies are machines; batches are lists', async () => {
    const one = {
      event: 'unique_proxy_open',
      email: 'ada@example.com',
      id: 26224,
      'message-id': '<1k2.abcdefgh@example.com>',
      ts_epoch: 1764072000123,
      ts_event: 1764072000,
      'X-Mailin-custom': `${KEY}:${DELIVERY}|mail_relay_campaign:spring`,
    };
    const events = await read(brevo, [one, { ...one, event: 'request' }, { ...one, event: 'delivered' }]);
    expect(events).toMatchObject([
      {
        type: 'opened',
        at: 1_764_072_000_123,
        deliveryId: DELIVERY,
        messageId: '1k2.abcdefgh@example.com',
        agent: { kind: 'privacy', evidence: 'brevo-proxy-open' },
      },
      { type: 'delivered', deliveryId: DELIVERY },
    ]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(2);
    expect((await read(brevo, { ...one, ts_epoch: undefined, ts_event: undefined, date: 'nonsense' }))[0]?.at).toBe(
      NOW,
    );
  });
});

describe('Sarbacane and Tipimail', () => {
  const sarbacane = provider('sarbacane', { sarbacane: { secret: SECRET } });
  const rows: readonly Row[] = [
    [{ status: 'delivered' }, 'delivered'],
    [{ status: 'bounced', description: '550 5.1.1 unknown user' }, 'bounced hard no-such-mailbox recipient'],
    [{ status: 'bounced', bounceType: 'soft', description: 'mailbox full' }, 'bounced soft mailbox-full recipient'],
    [{ status: 'rejected' }, 'bounced soft policy sender'],
    [{ status: 'error' }, 'failed soft system receiver'],
    [{ status: 'opened' }, 'opened'],
    [{ status: 'clicked', url: 'https://example.com' }, 'clicked'],
    [{ status: 'unsubscribed' }, 'unsubscribed'],
    [{ status: 'complaint' }, 'complained'],
    [{ type: 'HARD_BOUNCE' }, 'bounced hard no-such-mailbox recipient'],
    [{ type: 'SOFT_BOUNCE' }, 'bounced soft other receiver'],
    [{ type: 'SUCCESSFUL' }, 'delivered'],
    [{ type: 'COMPLAINT' }, 'complained'],
    [{ type: 'OPEN' }, 'opened'],
    [{ type: 'HIT' }, 'clicked'],
    [{ type: 'UNSUBSCRIBE' }, 'unsubscribed'],
  ];
  it.each(rows)('reads %j as %s', async (payload, expected) => {
    expect((await read(sarbacane, payload)).map(line)).toEqual([expected]);
    expect((await read(sarbacane, encodeURIComponent(JSON.stringify(payload)))).map(line)).toEqual([expected]);
    const field = new URLSearchParams({ data: JSON.stringify([payload]) }).toString();
    expect((await read(sarbacane, field)).map(line)).toEqual([expected]);
  });

  it('finds the delivery by our meta, as an object and as JSON', async () => {
    const one = { status: 'opened', email: 'ada@example.com', date: '1764072000', messageId: 'm-1' };
    const found = { recipient: 'ada@example.com', at: 1_764_072_000_000, deliveryId: DELIVERY, providerId: 'm-1' };
    expect(await read(sarbacane, { ...one, meta: { [KEY]: DELIVERY } })).toMatchObject([found]);
    expect(await read(sarbacane, { ...one, meta: JSON.stringify({ [KEY]: DELIVERY }) })).toMatchObject([found]);
  });
});
