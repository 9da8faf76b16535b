import { describe, expect, it } from 'vitest';
import { DELIVERY, line, provider, read, SECRET } from './support.ts';

const KEY = 'mail_relay_delivery';
type Row = readonly [payload: object, expected: string];

describe('Postmark', () => {
  const postmark = provider('postmark', { postmark: { secret: SECRET } });
  const bounce = (Type: string, Details?: string): object => ({ RecordType: 'Bounce', ID: 42, Type, Details });
  const rows: readonly Row[] = [
    [{ RecordType: 'Delivery' }, 'delivered'],
    [bounce('HardBounce', 'smtp;550 5.1.1 user unknown'), 'bounced hard no-such-mailbox recipient'],
    [bounce('HardBounce'), 'bounced hard no-such-mailbox recipient'],
    [bounce('SoftBounce', 'smtp;452 4.2.2 mailbox full'), 'bounced soft mailbox-full recipient'],
    [bounce('Transient', '421 4.7.0 greylisted'), 'deferred soft greylisted receiver'],
    [bounce('DnsError'), 'bounced soft dns network'],
    [bounce('SpamNotification'), 'bounced soft spam-rejected message'],
    [bounce('Blocked'), 'bounced soft blocked-ip sender'],
    [bounce('AutoResponder'), 'auto-replied'],
    [bounce('AddressChange'), 'bounced hard moved recipient'],
    [bounce('ManuallyDeactivated'), 'bounced hard policy sender'],
    [{ RecordType: 'SpamComplaint', ID: 42 }, 'complained'],
    [{ RecordType: 'Open', UserAgent: 'curl/8' }, 'opened'],
    [{ RecordType: 'Click', OriginalLink: 'https://example.com' }, 'clicked'],
    [
      { RecordType: 'SubscriptionChange', SuppressSending: true, SuppressionReason: 'ManualSuppression' },
      'unsubscribed',
    ],
  ];
  it.each(rows)('reads %j as %s', async (payload, expected) => {
    expect((await read(postmark, payload)).map(line)).toEqual([expected]);
  });

  it('names the delivery, and leaves out who comes back to a list', async () => {
    const one = {
      RecordType: 'Delivery',
      MessageID: '883953f4-6105-42a2-a16a-77a8eac79483',
      Recipient: 'ada@example.com',
      DeliveredAt: '2026-11-25T10:00:00.0000000Z',
      Metadata: { [KEY]: DELIVERY },
    };
    expect(await read(postmark, one)).toMatchObject([
      { recipient: 'ada@example.com', deliveryId: DELIVERY, providerId: one.MessageID, at: Date.UTC(2026, 10, 25, 10) },
    ]);
    const change = { RecordType: 'SubscriptionChange', SuppressSending: false, SuppressionReason: null };
    expect(await read(postmark, change)).toEqual([]);
  });
});

describe('Mailjet', () => {
  const mailjet = provider('mailjet', { mailjet: { secret: SECRET } });
  const bounce = (error: string, hard: boolean, related = 'recipient'): object => ({
    event: 'bounce',
    hard_bounce: hard,
    error_related_to: related,
    error,
  });
  it.each<Row>([
    [{ event: 'sent' }, 'delivered'],
    [bounce('user unknown', true), 'bounced hard no-such-mailbox recipient'],
    [bounce('quota exceeded', false), 'bounced soft mailbox-full recipient'],
    [bounce('invalid domain', true, 'domain'), 'bounced hard no-such-domain recipient'],
    [bounce('sender blocked', false, 'sender'), 'bounced soft blocked-sender sender'],
    [{ event: 'blocked', error_related_to: 'recipient', error: 'preblocked' }, 'bounced soft policy sender'],
    [{ event: 'blocked', error_related_to: 'spam', error: '' }, 'bounced soft spam-rejected message'],
    [{ event: 'open', agent: 'curl/8' }, 'opened'],
    [{ event: 'click', url: 'https://example.com' }, 'clicked'],
    [{ event: 'spam' }, 'complained'],
    [{ event: 'unsub' }, 'unsubscribed'],
  ])('reads %j as %s', async (payload, expected) => {
    expect((await read(mailjet, payload)).map(line)).toEqual([expected]);
    expect((await read(mailjet, [payload, { event: 'parseapi' }])).map(line)).toEqual([expected]);
  });

  it('names the delivery', async () => {
    const one = { event: 'sent', time: 1764072000, MessageID: 19421777835146490, email: 'ada@example.com' };
    expect(await read(mailjet, { ...one, CustomID: DELIVERY })).toMatchObject([
      { deliveryId: DELIVERY, recipient: 'ada@example.com', at: 1_764_072_000_000 },
    ]);
    expect(await read(mailjet, { ...one, Payload: JSON.stringify({ [KEY]: DELIVERY }) })).toMatchObject([
      { deliveryId: DELIVERY },
    ]);
  });
});

describe('Resend', () => {
  const resend = provider('resend', { resend: { signingSecret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' } });
  const bounced = (type: string, subType: string, message: string): object => ({
    type: 'email.bounced',
    data: { to: ['ada@example.com'], bounce: { type, subType, message } },
  });
  it.each<Row>([
    [{ type: 'email.delivered' }, 'delivered'],
    [bounced('Permanent', 'General', '550 5.1.1 user unknown'), 'bounced hard no-such-mailbox recipient'],
    [bounced('Permanent', 'Suppressed', 'suppressed sending to this address'), 'bounced hard policy sender'],
    [bounced('Transient', 'MailboxFull', ''), 'bounced soft mailbox-full recipient'],
    [{ type: 'email.delivery_delayed' }, 'deferred soft other receiver'],
    [{ type: 'email.complained' }, 'complained'],
    [{ type: 'email.opened', data: {} }, 'opened'],
    [{ type: 'email.clicked', data: { click: { link: 'https://example.com' } } }, 'clicked'],
    [{ type: 'email.failed', data: { failed: { reason: 'reached_daily_quota' } } }, 'failed soft rate-limited sender'],
  ])('reads %j as %s', async (payload, expected) => {
    expect((await read(resend, payload)).map(line)).toEqual([expected]);
  });

  it('has an event for each recipient, and none of mail that only left', async () => {
    const body = {
      type: 'email.delivered',
      created_at: '2026-11-25T10:00:00.000Z',
      data: { email_id: 'e-1', to: ['a@x.example', 'b@x.example'], tags: { [KEY]: DELIVERY } },
    };
    const events = await read(resend, body, { 'svix-id': 'msg_1' });
    expect(events).toMatchObject([
      { recipient: 'a@x.example', providerId: 'e-1', deliveryId: DELIVERY },
      { recipient: 'b@x.example' },
    ]);
    expect(events[0]?.id).not.toBe(events[1]?.id);
    expect(await read(resend, { ...body, type: 'email.sent' })).toEqual([]);
    expect(await read(resend, { ...body, type: 'contact.created' })).toEqual([]);
  });
});

describe('SparkPost', () => {
  const sparkpost = provider('sparkpost', { sparkpost: { secret: SECRET } });
  const bounce = (bounce_class: string, raw_reason: string): object => ({ type: 'bounce', bounce_class, raw_reason });
  it.each<Row>([
    [{ type: 'delivery' }, 'delivered'],
    [bounce('10', '550 5.1.1 unknown user'), 'bounced hard no-such-mailbox recipient'],
    [bounce('22', '552 mailbox full'), 'bounced soft mailbox-full recipient'],
    [bounce('51', '550 5.7.1 spam'), 'bounced soft spam-rejected message'],
    [bounce('25', 'Admin Failure'), 'bounced soft policy sender'],
    [{ type: 'out_of_band', bounce_class: '30', reason: 'no RCPT' }, 'bounced hard no-such-mailbox recipient'],
    [
      { type: 'delay', bounce_class: '20', raw_reason: '454 4.4.1 connection timed out' },
      'deferred soft network network',
    ],
    [{ type: 'policy_rejection' }, 'bounced soft policy sender'],
    [{ type: 'generation_failure' }, 'failed soft content-rejected message'],
    [{ type: 'spam_complaint' }, 'complained'],
    [{ type: 'initial_open', user_agent: 'curl/8' }, 'opened'],
    [{ type: 'click', target_link_url: 'https://example.com' }, 'clicked'],
    [{ type: 'list_unsubscribe' }, 'unsubscribed'],
  ])('reads %j as %s', async (payload, expected) => {
    expect((await read(sparkpost, [{ msys: { some_event: payload } }])).map(line)).toEqual([expected]);
  });

  it('takes a webhook that is only tried out, and names the delivery', async () => {
    expect(await read(sparkpost, [{ msys: {} }])).toEqual([]);
    const one = {
      type: 'delivery',
      event_id: '92356927693813856',
      timestamp: '1764072000',
      rcpt_to: 'ada@example.com',
      rcpt_meta: { [KEY]: DELIVERY },
    };
    expect(await read(sparkpost, [{ msys: { message_event: one } }])).toMatchObject([
      { id: one.event_id, at: 1_764_072_000_000, recipient: 'ada@example.com', deliveryId: DELIVERY },
    ]);
  });
});
