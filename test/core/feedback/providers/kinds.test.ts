import { describe, expect, it } from 'vitest';
import { DELIVERY, line, NOW, provider, read, request, SECRET } from './support.ts';

const KEY = 'mail_relay_delivery';
const PUBLIC_KEY =
  'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==';
const shared = { secret: SECRET };
const OPTIONS = {
  ses: { topics: ['arn:aws:sns:eu-west-3:123456789012:mail'], secret: SECRET },
  sendgrid: { publicKey: PUBLIC_KEY },
  mailgun: { signingKey: 'key' },
  resend: { signingSecret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' },
  ...{ brevo: shared, sarbacane: shared, postmark: shared, mailjet: shared, sparkpost: shared },
};
type Name = keyof typeof OPTIONS;
type Row = readonly [name: Name, payload: unknown, expected: readonly string[]];

const mail = { messageId: '1', destination: ['ada@example.com'], tags: { [KEY]: [DELIVERY] } };
const topic = (status: string, unsubscribeAll = false): object => ({
  unsubscribeAll,
  topicSubscriptionStatus: [{ topicName: 'News', subscriptionStatus: status }],
});
const subscription = (before: object, after: object): object => ({
  eventType: 'Subscription',
  mail,
  subscription: { oldTopicPreferences: before, newTopicPreferences: after },
});
const sesBounce = (bounceType: string, bounceSubType: string): object => ({
  eventType: 'Bounce',
  mail,
  bounce: { bounceType, bounceSubType, bouncedRecipients: [{ emailAddress: 'ada@example.com' }] },
});
const sendgrid = (reason: string, type: string, bounce_classification?: string): unknown => [
  { event: 'bounce', type, reason, bounce_classification },
];
const mailgun = (severity: string, reason: string, status: object): object => ({
  'event-data': { event: 'failed', severity, reason, 'delivery-status': status },
});
const sparkpost = (type: string, more: object): unknown => [{ msys: { some_event: { type, ...more } } }];
const mailjet = (error: string, error_related_to: string): object => ({ event: 'blocked', error, error_related_to });

const ROWS: readonly Row[] = [
  ['ses', sesBounce('Permanent', 'General'), ['bounced hard other recipient']],
  ['ses', sesBounce('Permanent', 'UnsubscribedRecipient'), ['bounced hard policy sender']],
  ['ses', sesBounce('Transient', 'CustomTimeoutExceeded'), ['bounced soft expired network']],
  ['ses', sesBounce('Undetermined', 'Undetermined'), ['bounced soft other receiver']],
  [
    'ses',
    { version: '0', 'detail-type': 'Email Bounced', source: 'aws.ses', detail: sesBounce('Permanent', 'NoEmail') },
    ['bounced hard no-such-mailbox recipient'],
  ],
  ['ses', subscription(topic('OptIn'), topic('OptOut')), ['unsubscribed']],
  ['ses', subscription(topic('OptOut'), topic('OptOut', true)), ['unsubscribed']],
  ['ses', subscription(topic('OptOut', true), topic('OptIn')), []],
  ['ses', subscription(topic('OptOut'), topic('OptOut')), []],
  ['sendgrid', sendgrid('550 5.7.1 refused', 'blocked', 'Reputation'), ['bounced soft blocked-ip sender']],
  ['sendgrid', sendgrid('550 5.7.1 refused', 'bounce', 'Invalid Address'), ['bounced hard policy sender']],
  ['sendgrid', sendgrid('421 come back', 'blocked', 'Frequency/Volume'), ['bounced soft rate-limited sender']],
  ['sendgrid', sendgrid('554 listed at zen.spamhaus.org', 'blocked', 'Content'), ['bounced soft blocked-ip sender']],
  [
    'sendgrid',
    sendgrid('unable to get mx info: failed to get IPs from PTR record: lookup x.example: no such host', 'bounce'),
    ['bounced hard no-such-domain recipient'],
  ],
  [
    'sendgrid',
    [{ event: 'deferred', response: 'unable to get mx info: failed to get IPs from PTR record: lookup <nil>' }],
    ['deferred soft dns network'],
  ],
  ['sendgrid', [{ event: 'dropped', reason: 'Group Unsubscribed Address' }], ['bounced soft policy sender']],
  ['sendgrid', [{ event: 'dropped', reason: 'Spam Content' }], ['failed soft spam-rejected message']],
  [
    'sendgrid',
    [{ event: 'dropped', reason: 'Recipient List over Package Quota' }],
    ['failed soft rate-limited sender'],
  ],
  ['mailgun', mailgun('permanent', 'bounce', { code: 550 }), ['bounced hard no-such-mailbox recipient']],
  ['mailgun', mailgun('permanent', 'espblock', { code: 550, message: 'refused' }), ['bounced hard blocked-ip sender']],
  [
    'mailgun',
    mailgun('permanent', 'old', { code: 499, message: 'Unable to connect to MX servers: [example.com]' }),
    ['bounced soft expired network'],
  ],
  [
    'mailgun',
    mailgun('temporary', 'greylisted', { code: 450, message: 'try later' }),
    ['deferred soft greylisted receiver'],
  ],
  ['mailgun', { event: 'bounced', code: '5.2.2', error: 'no' }, ['bounced soft mailbox-full recipient']],
  [
    'mailgun',
    { 'event-data': { event: 'rejected', reject: { reason: 'Message contains a virus' } } },
    ['failed soft content-rejected message'],
  ],
  ['brevo', { event: 'blocked', reason: 'blocked : due to hard bounce' }, ['bounced hard policy sender']],
  ['brevo', { event: 'blocked', reason: 'blocked : due to unsubscription' }, ['bounced soft policy sender']],
  ['sarbacane', { status: 'filtered' }, ['bounced soft policy sender']],
  ['sarbacane', { status: 'deferred', description: '452 mailbox full' }, ['deferred soft mailbox-full recipient']],
  ['sarbacane', { kind: 'HARD_BOUNCE', type: 'email' }, ['bounced hard no-such-mailbox recipient']],
  ['sarbacane', { kind: 'OPEN', data: { email: 'ada@example.com' } }, ['opened']],
  [
    'postmark',
    { RecordType: 'Bounce', Type: 'SoftBounce', Description: 'mailbox full, account disabled and the like' },
    ['bounced soft other receiver'],
  ],
  ['postmark', { RecordType: 'Bounce', Type: 'TemplateRenderingFailed' }, ['failed soft content-rejected message']],
  ['postmark', { RecordType: 'Bounce', Type: 'SMTPApiError' }, ['failed soft protocol sender']],
  [
    'postmark',
    { RecordType: 'SubscriptionChange', SuppressSending: true, SuppressionReason: 'HardBounce' },
    ['bounced hard no-such-mailbox recipient'],
  ],
  [
    'postmark',
    { RecordType: 'SubscriptionChange', SuppressSending: true, SuppressionReason: 'SpamComplaint' },
    ['complained'],
  ],
  ['postmark', { RecordType: 'SubscriptionChange', SuppressSending: false, SuppressionReason: null }, []],
  ['mailjet', mailjet('blacklisted', 'recipient'), ['bounced soft policy sender']],
  ['mailjet', mailjet('spam reporter', 'recipient'), ['bounced soft policy sender']],
  ['mailjet', mailjet('typofix', 'domain'), ['bounced soft no-such-domain recipient']],
  ['mailjet', mailjet('spam preblocked', 'mailjet'), ['bounced soft spam-rejected message']],
  ['mailjet', mailjet('error in template language', 'content'), ['bounced soft content-rejected message']],
  [
    'resend',
    { type: 'email.suppressed', data: { suppressed: { type: 'List', message: 'it has hard bounced before' } } },
    ['bounced hard policy sender'],
  ],
  [
    'resend',
    { type: 'email.suppressed', data: { suppressed: { type: 'List', message: 'it has complained' } } },
    ['bounced soft policy sender'],
  ],
  ['sparkpost', sparkpost('out_of_band', { bounce_class: '60', raw_reason: 'I am out of office' }), ['auto-replied']],
  ['sparkpost', sparkpost('out_of_band', { bounce_class: '100' }), ['auto-replied']],
  ['sparkpost', sparkpost('out_of_band', { bounce_class: '90' }), ['unsubscribed']],
  ['sparkpost', sparkpost('out_of_band', { bounce_class: '80' }), []],
];

describe('what providers say of mail', () => {
  it.each(ROWS)('%s: %j is %j', async (name, payload, expected) => {
    expect((await read(provider(name, OPTIONS), payload)).map(line)).toEqual(expected);
  });

  it('has its recipient where only the mail names one, or what was sent', async () => {
    const rejected = { event: 'rejected', message: { headers: { to: 'Ada Lovelace <ada@example.com>' } } };
    const [first] = await read(provider('mailgun', OPTIONS), { 'event-data': rejected });
    expect(first?.recipient).toBe('ada@example.com');
    const sent = { status: 'delivered', msg: { from: 'shop@example.org', email: 'ada@example.com' } };
    const [second] = await read(provider('sarbacane', OPTIONS), sent);
    expect(second?.recipient).toBe('ada@example.com');
  });

  it('names machines by what the provider says of them, and no program that is only a kind of device', async () => {
    const parsed = { is_proxy: true, is_prefetched: false };
    const open = sparkpost('open', { user_agent: 'Mozilla/5.0 (X11) Firefox/140.0', user_agent_parsed: parsed });
    expect((await read(provider('sparkpost', OPTIONS), open))[0]?.agent?.kind).toBe('proxy');
    const opened = { event: 'opened', email: 'ada@example.com', device_used: 'DESKTOP' };
    expect((await read(provider('brevo', OPTIONS), opened))[0]?.agent).toBeUndefined();
  });
});

/** An event of which nobody has heard, as each would send it; and one that is there and says nothing of the mail. */
const NEW: Readonly<Record<Name, readonly [unknown: unknown, quiet: unknown]>> = {
  ses: [
    { eventType: 'Teleported', mail },
    { eventType: 'Send', mail, send: {} },
  ],
  sendgrid: [[{ event: 'teleported', email: 'ada@example.com' }], [{ event: 'processed', email: 'ada@example.com' }]],
  mailgun: [{ 'event-data': { event: 'teleported' } }, { 'event-data': { event: 'accepted' } }],
  resend: [
    { type: 'email.teleported', data: { to: ['ada@example.com'] } },
    { type: 'email.sent', data: {} },
  ],
  brevo: [{ event: 'teleported' }, { event: 'list_addition', email: ['ada@example.com'] }],
  sarbacane: [{ status: 'teleported' }, { kind: 'FORM_SUBMIT' }],
  postmark: [{ RecordType: 'Teleported' }, { RecordType: 'Bounce', Type: 'Subscribe' }],
  mailjet: [{ event: 'teleported' }, { event: 'parseapi' }],
  sparkpost: [sparkpost('teleported', {}), sparkpost('injection', {})],
};

describe('kinds of events that are not known', () => {
  it.each(Object.keys(NEW) as Name[])('%s: are told to the log and change nothing', async (name) => {
    const kinds: string[] = [];
    const tools = { now: NOW, unknown: (kind: string) => void kinds.push(kind) };
    const made = provider(name, OPTIONS);
    const [unknown, quiet] = NEW[name];
    expect(await made.read(request(unknown), tools)).toEqual([]);
    expect(kinds).toHaveLength(1);
    expect(kinds[0]).toMatch(/teleported/i);
    expect(await made.read(request(quiet), tools)).toEqual([]);
    expect(kinds).toHaveLength(1);
    const long = JSON.stringify(unknown).replace(/teleported/i, 'x'.repeat(5000));
    await made.read(request(long), tools);
    expect(kinds[1]?.length).toBeLessThanOrEqual(64);
  });
});

describe('a batch with broken items', () => {
  const good: Readonly<Partial<Record<Name, object>>> = {
    sendgrid: { event: 'delivered', email: 'ada@example.com' },
    brevo: { event: 'delivered', email: 'ada@example.com' },
    sarbacane: { status: 'delivered', email: 'ada@example.com' },
    postmark: { RecordType: 'Delivery', Recipient: 'ada@example.com' },
    mailjet: { event: 'sent', email: 'ada@example.com' },
    sparkpost: { msys: { message_event: { type: 'delivery', rcpt_to: 'ada@example.com' } } },
  };
  const broken = [null, 7, 'text', [], [[]], {}, { event: {} }, { event: null, email: 7 }, { msys: { a: 1 } }, true];

  it.each(Object.entries(good))('%s: loses none of the others', async (name, item) => {
    const batch = broken.flatMap((one) => [one, { ...item, number: 1 }]);
    const events = await read(provider(name as Name, OPTIONS), batch);
    expect(events.map(({ type, recipient }) => [type, recipient])).toEqual(
      broken.map(() => ['delivered', 'ada@example.com']),
    );
  });
});
