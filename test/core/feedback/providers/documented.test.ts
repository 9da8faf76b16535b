/** Forms of webhooks that stand in the providers' documents, or that they are known to send, beside the usual ones. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { line, NOW, provider, read, request, SECRET, tools } from './support.ts';

type Row = readonly [payload: object, expected: string];

describe('Mailgun', () => {
  const mailgun = provider('mailgun', { mailgun: { signingKey: 'key' } });
  const form = (pairs: readonly (readonly [string, string])[]): string =>
    new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value])).toString();
  const failed = (more: object): object => ({
    'event-data': { event: 'failed', severity: 'permanent', id: 'x', recipient: 'ada@example.com', ...more },
  });

  it('signs the last of several fields of a form: a variable of the mail may have the same name', async () => {
    const timestamp = String(Math.floor(NOW / 1000));
    const signature = createHmac('sha256', 'key').update(`${timestamp}token`).digest('hex');
    const body = form([
      ['event', 'clicked'],
      ['event', 'one of ours'],
      ['recipient', 'ada@example.com'],
      ['recipient', 'another'],
      ['url', 'https://example.com/'],
      ...['timestamp', 'token', 'signature'].map((name) => [name, 'one of ours'] as const),
      ['timestamp', timestamp],
      ['token', 'token'],
      ['signature', signature],
    ]);
    expect(await mailgun.verify(request(body), tools())).toEqual({ ok: true, once: 'token' });
    expect(await read(mailgun, body)).toMatchObject([
      { type: 'clicked', recipient: 'ada@example.com', at: Number(timestamp) * 1000, url: 'https://example.com/' },
    ]);
  });

  it('names the mail in the headers that it hands on, where no field does', async () => {
    const headers = JSON.stringify([['Received', 'by x'], ['Message-Id', '<1@example.com>'], 'broken', []]);
    const body = form([
      ['event', 'complained'],
      ['recipient', 'ada@example.com'],
      ['message-headers', headers],
    ]);
    expect(await read(mailgun, body)).toMatchObject([{ type: 'complained', messageId: '1@example.com' }]);
  });

  it('says itself whether a bounce is soft', async () => {
    const soft = failed({ reason: 'generic', 'delivery-status': { code: 554, message: 'no', 'bounce-type': 'soft' } });
    expect((await read(mailgun, soft)).map(line)).toEqual(['bounced soft other receiver']);
  });
});

describe('Amazon SES', () => {
  const ses = provider('ses', { ses: { topics: ['arn:aws:sns:eu-west-3:123456789012:mail'] } });
  const mail = { messageId: '0102', destination: ['ada@example.com'] };
  const complaint = (complaintFeedbackType: string | null): object => ({
    notificationType: 'Complaint',
    mail,
    complaint: { complainedRecipients: [{ emailAddress: 'ada@example.com' }], complaintFeedbackType },
  });
  const permanent = (status: string, diagnosticCode?: string): object => ({
    notificationType: 'Bounce',
    mail,
    bounce: {
      bounceType: 'Permanent',
      bounceSubType: 'General',
      bouncedRecipients: [{ emailAddress: 'ada@example.com', action: 'failed', status, diagnosticCode }],
    },
  });
  it.each<Row>([
    [complaint('abuse'), 'complained'],
    [complaint('virus'), 'complained'],
    [complaint(null), 'complained'],
    [complaint('a-new-one'), 'complained'],
    [complaint('opt-out'), 'unsubscribed'],
    [complaint('not-spam'), ''],
    [complaint('auth-failure'), ''],
    [permanent('5.3.0'), 'bounced hard system receiver'],
    [permanent('5.7.1', 'smtp; 550 5.7.1 Service unavailable'), 'bounced hard system receiver'],
    [permanent('5.4.7', 'smtp; 554 5.4.7 delivery expired'), 'bounced soft expired network'],
  ])('reads %j as "%s"', async (said, expected) => {
    const envelope = { Type: 'Notification', MessageId: 'm-1', Message: JSON.stringify(said) };
    expect((await read(ses, envelope)).map(line).join()).toBe(expected);
  });
});

describe('Resend', () => {
  const resend = provider('resend', { resend: { signingSecret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' } });
  const words = "The recipient's email provider sent a hard bounce message, but didn't specify the reason.";
  const listed = 'Resend has suppressed sending to this address because it is on the account-level suppression list.';
  const bounced = (bounce: object): object => ({ type: 'email.bounced', data: { to: ['ada@example.com'], bounce } });
  it.each<Row>([
    [
      bounced({ type: 'Permanent', subType: 'General', message: words, diagnosticCode: ['smtp; 550 5.1.1 no user'] }),
      'bounced hard no-such-mailbox recipient',
    ],
    [
      bounced({
        type: 'Transient',
        subType: 'General',
        message: words,
        diagnosticCode: ['smtp; 552 5.2.2 over quota'],
      }),
      'bounced soft mailbox-full recipient',
    ],
    [
      bounced({ type: 'Permanent', subType: 'General', message: words, diagnosticCode: [] }),
      'bounced hard other recipient',
    ],
    [bounced({ message: listed }), 'bounced hard policy sender'],
    [
      bounced({
        type: 'Permanent',
        subType: 'Suppressed',
        message: listed,
        diagnosticCode: ['550 5.1.1 user unknown'],
      }),
      'bounced hard policy sender',
    ],
  ])('reads %j as %s', async (said, expected) => {
    expect((await read(resend, said)).map(line)).toEqual([expected]);
  });
});

describe('Postmark', () => {
  const postmark = provider('postmark', { postmark: { secret: SECRET } });
  it.each<Row>([
    [{ RecordType: 'Bounce', TypeCode: 1, Name: 'Hard bounce' }, 'bounced hard no-such-mailbox recipient'],
    [{ RecordType: 'Bounce', TypeCode: '100006' }, 'bounced soft blocked-ip sender'],
    [{ RecordType: 'Bounce', TypeCode: 64 }, 'auto-replied'],
    [{ RecordType: 'Bounce', TypeCode: 77 }, 'bounced soft other receiver'],
    [
      { RecordType: 'SubscriptionChange', SuppressSending: 'true', SuppressionReason: 'ManualSuppression' },
      'unsubscribed',
    ],
  ])('reads %j as %s', async (said, expected) => {
    expect((await read(postmark, said)).map(line)).toEqual([expected]);
  });
});

describe('Mailjet', () => {
  const mailjet = provider('mailjet', { mailjet: { secret: SECRET } });
  const bounce = (error: string, hard_bounce: unknown, error_related_to = 'recipient'): object => ({
    event: 'bounce',
    error,
    hard_bounce,
    error_related_to,
  });
  it.each<Row>([
    // "Delivery will be re-attempted"
    [bounce('greylisted', false, 'domain'), 'deferred soft greylisted receiver'],
    [bounce('greylisted', true, 'domain'), 'bounced soft greylisted receiver'],
    [bounce('', true), 'bounced hard no-such-mailbox recipient'],
    [bounce('', 'false'), 'bounced soft other receiver'],
  ])('reads %j as %s', async (said, expected) => {
    expect((await read(mailjet, [said])).map(line)).toEqual([expected]);
  });

  it('tells two events apart that differ far behind in a long payload', async () => {
    const said = (time: number): object => ({
      event: 'open',
      Payload: 'x'.repeat(9000),
      email: 'ada@example.com',
      time,
    });
    const [one, other] = await read(mailjet, [said(1_764_072_000), said(1_764_072_060)]);
    expect(one?.id).not.toBe(other?.id);
  });
});

describe('SparkPost', () => {
  const sparkpost = provider('sparkpost', { sparkpost: { secret: SECRET } });
  const bounce = (bounce_class: string | undefined, raw_reason: string): object => ({
    type: 'bounce',
    bounce_class,
    raw_reason,
  });
  it.each<Row>([
    [bounce('50', '550 refused'), 'bounced soft blocked-ip sender'],
    [bounce('51', '554 refused'), 'bounced soft blocked-ip sender'],
    [bounce('51', '550 5.7.1 looks like spam'), 'bounced soft spam-rejected message'],
    [bounce('54', '550 5.7.1 relaying denied'), 'bounced soft policy sender'],
    [bounce('1', '550 5.1.1 user unknown'), 'bounced hard no-such-mailbox recipient'],
    [bounce(undefined, '550 5.1.1 user unknown'), 'bounced hard no-such-mailbox recipient'],
    [bounce(undefined, '450 4.2.2 mailbox full'), 'bounced soft mailbox-full recipient'],
    [{ type: 'spam_complaint', fbtype: 'abuse' }, 'complained'],
    [{ type: 'spam_complaint' }, 'complained'],
    [{ type: 'spam_complaint', fbtype: 'not-spam' }, ''],
  ])('reads %j as "%s"', async (said, expected) => {
    expect((await read(sparkpost, [{ msys: { message_event: said } }])).map(line).join()).toBe(expected);
  });
});

describe('SendGrid', () => {
  const key =
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==';
  const sendgrid = provider('sendgrid', { sendgrid: { publicKey: key } });
  it.each(['Invalid', 'Invalid Email', 'Invalid Address', 'Invalid email address'])(
    'drops for "%s"',
    async (reason) => {
      expect((await read(sendgrid, [{ event: 'dropped', reason }])).map(line)).toEqual([
        'bounced hard no-such-mailbox recipient',
      ]);
    },
  );
});

describe('Brevo', () => {
  const brevo = provider('brevo', { brevo: { token: 'a-token' } });
  it.each<Row>([
    // The words of the samples in its documents.
    [{ event: 'hard_bounce', reason: 'server is down' }, 'bounced hard network network'],
    [{ event: 'soft_bounce', reason: 'server is down' }, 'bounced soft network network'],
    [{ event: 'hard_bounce', reason: '450 4.4.1 connection timed out' }, 'bounced soft network network'],
    [{ event: 'hard_bounce', reason: 'mailbox full' }, 'bounced soft mailbox-full recipient'],
    [{ event: 'reply' }, ''],
  ])('reads %j as "%s"', async (said, expected) => {
    expect((await read(brevo, { email: 'ada@example.com', ...said })).map(line).join()).toBe(expected);
  });
});

describe('Sarbacane', () => {
  const sarbacane = provider('sarbacane', { sarbacane: { secret: SECRET } });
  const said = {
    status: 'bounced',
    email: 'ada+news@example.com',
    description: '552 Boîte pleine',
    date: '1764072000',
  };
  const json = JSON.stringify(said);
  const encoded = encodeURIComponent(json);
  it.each([
    ['JSON', json],
    ['JSON with an equals sign, as a form without a value has it', `${json}=`],
    ['urlencoded', encoded],
    ['urlencoded with + for spaces', encoded.replaceAll('%20', '+')],
    ['urlencoded where it has to be only, so that a + stands for itself', encodeURI(json)],
    ['urlencoded in Windows-1252', encoded.replace('%C3%AE', '%EE')],
    ['a field', `data=${encoded}`],
    ['a field of several', `event=${encoded}&key=1`],
    ['a list in a field of several', `json=${encodeURIComponent(`[${json}]`)}&key=1`],
  ])('is read as %s', async (_, body) => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const events = await read(sarbacane, body, form);
    expect(events.map(line)).toEqual(['bounced soft mailbox-full recipient']);
    expect(events).toMatchObject([
      { recipient: said.email, diagnostic: said.description, at: Number(said.date) * 1000, code: 552 },
    ]);
  });

  it('may say in another field that a bounce is soft', async () => {
    for (const field of ['type', 'kind', 'bounceType'])
      expect((await read(sarbacane, { status: 'bounced', [field]: 'soft' })).map(line)).toEqual([
        'bounced soft other receiver',
      ]);
  });
});
