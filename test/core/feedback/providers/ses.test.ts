import { describe, expect, it } from 'vitest';
import { DELIVERY, line, provider, read } from './support.ts';

const ses = provider('ses', { ses: { topics: ['arn:aws:sns:eu-west-3:123456789012:mail'] } });
const MAIL = {
  timestamp: '2026-11-25T10:00:00.000Z',
  messageId: '0102018a-1111-000000',
  source: 'shop@example.com',
  destination: ['ada@example.com', 'bob@example.com'],
  headers: [
    { name: 'From', value: 'shop@example.com' },
    { name: 'Message-ID', value: '<1k2.abcdefgh@example.com>' },
    { name: 'X-SES-MESSAGE-TAGS', value: `mail_relay_delivery=${DELIVERY}, stream=broadcast` },
  ],
};

/** As SNS has it: the message is JSON in a text. */
const envelope = (message: object | string): object => ({
  Type: 'Notification',
  MessageId: 'm-1',
  Message: typeof message === 'string' ? message : JSON.stringify(message),
});
const bounced = (bounceType: string, bounceSubType: string, diagnosticCode?: string, status?: string): object => ({
  notificationType: 'Bounce',
  mail: { ...MAIL, destination: ['ada@example.com'] },
  bounce: {
    bounceType,
    bounceSubType,
    bouncedRecipients: [{ emailAddress: 'ada@example.com', action: 'failed', diagnosticCode, status }],
    timestamp: '2026-11-25T10:01:00.000Z',
    feedbackId: 'feedback-1',
    reportingMTA: 'dns; a8-70.smtp-out.amazonses.com',
  },
});

describe('Amazon SES', () => {
  it.each([
    ['Permanent', 'General', 'smtp; 550 5.1.1 user unknown', 'bounced hard no-such-mailbox recipient'],
    ['Permanent', 'General', undefined, 'bounced hard other recipient'],
    ['Permanent', 'NoEmail', undefined, 'bounced hard no-such-mailbox recipient'],
    ['Permanent', 'Suppressed', 'Amazon SES has suppressed sending to this address', 'bounced hard policy sender'],
    ['Permanent', 'OnAccountSuppressionList', undefined, 'bounced hard policy sender'],
    ['Permanent', 'General', 'smtp; 550 5.7.1 blocked by zen.spamhaus.org', 'bounced hard blocked-ip sender'],
    ['Transient', 'MailboxFull', undefined, 'bounced soft mailbox-full recipient'],
    ['Transient', 'MessageTooLarge', undefined, 'bounced soft message-too-big message'],
    ['Transient', 'ContentRejected', undefined, 'bounced soft content-rejected message'],
    ['Transient', 'AttachmentRejected', undefined, 'bounced soft content-rejected message'],
    ['Transient', 'General', 'smtp; 554 4.4.7 Message expired: unable to deliver', 'bounced soft expired network'],
    ['Undetermined', 'Undetermined', undefined, 'bounced soft other receiver'],
  ])('reads a bounce %s/%s (%s)', async (type, subType, diagnostic, expected) => {
    expect((await read(ses, envelope(bounced(type, subType, diagnostic)))).map(line)).toEqual([expected]);
    const published = { ...bounced(type, subType, diagnostic), notificationType: undefined, eventType: 'Bounce' };
    expect((await read(ses, envelope(published))).map(line)).toEqual([expected]);
  });

  it('is one event whether a bounce comes as feedback of the identity or of the configuration set', async () => {
    const [one] = await read(ses, envelope(bounced('Permanent', 'General')));
    const published = { ...bounced('Permanent', 'General'), notificationType: undefined, eventType: 'Bounce' };
    const [other] = await read(ses, { ...envelope(published), MessageId: 'm-2' });
    expect(one?.id).toBeDefined();
    expect(other?.id).toBe(one?.id);
  });

  it('names the delivery by our tag or header, the Message-ID and its own id', async () => {
    const found = {
      deliveryId: DELIVERY,
      messageId: '1k2.abcdefgh@example.com',
      providerId: '0102018a-1111-000000',
      recipient: 'ada@example.com',
      at: Date.UTC(2026, 10, 25, 10, 1),
      status: '5.1.1',
      code: 550,
      reportingMta: 'a8-70.smtp-out.amazonses.com',
    };
    const said = bounced('Permanent', 'General', 'smtp; 550 user unknown', '5.1.1') as { mail: object };
    expect(await read(ses, envelope(said))).toMatchObject([found]);
    const tagged = { ...said, mail: { ...said.mail, headers: undefined, tags: { mail_relay_delivery: [DELIVERY] } } };
    expect(await read(ses, envelope(tagged))).toMatchObject([{ ...found, messageId: undefined }]);
  });

  it('reads each recipient, of lists and of single ones', async () => {
    const delivery = { eventType: 'Delivery', mail: MAIL, delivery: { recipients: MAIL.destination } };
    const events = await read(ses, envelope(delivery));
    expect(events.map(({ recipient }) => recipient)).toEqual(MAIL.destination);
    expect(new Set(events.map(({ id }) => id)).size).toBe(2);
    const single = { ...delivery, delivery: { recipients: 'ada@example.com' } };
    expect((await read(ses, envelope(single))).map(({ recipient }) => recipient)).toEqual(['ada@example.com']);
    const complaint = { complainedRecipients: [{ emailAddress: 'bob@example.com' }], complaintFeedbackType: 'abuse' };
    const complained = await read(ses, envelope({ notificationType: 'Complaint', mail: MAIL, complaint }));
    expect(complained).toMatchObject([{ type: 'complained', recipient: 'bob@example.com', diagnostic: 'abuse' }]);
  });

  it.each([
    [
      {
        eventType: 'DeliveryDelay',
        deliveryDelay: {
          delayType: 'MailboxFull',
          delayedRecipients: [{ emailAddress: 'a@b.example', status: '4.2.2' }],
        },
      },
      'deferred soft mailbox-full recipient',
    ],
    [
      {
        eventType: 'DeliveryDelay',
        deliveryDelay: {
          delayType: 'TransientCommunicationFailure',
          delayedRecipients: [{ emailAddress: 'a@b.example' }],
        },
      },
      'deferred soft network network',
    ],
    [{ eventType: 'Reject', reject: { reason: 'Bad content' } }, 'failed soft content-rejected message'],
    [
      { eventType: 'Rendering Failure', failure: { errorMessage: 'Attribute name is not present' } },
      'failed soft content-rejected message',
    ],
    [{ eventType: 'Open', open: { userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' } }, 'opened'],
    [{ eventType: 'Click', click: { link: 'https://example.com/', userAgent: 'curl/8' } }, 'clicked'],
    [
      { notificationType: 'Complaint', complaint: { complainedRecipients: [{ emailAddress: 'a@b.example' }] } },
      'complained',
    ],
    [
      {
        notificationType: 'Complaint',
        complaint: {
          complainedRecipients: [{ emailAddress: 'a@b.example' }],
          complaintSubType: 'OnAccountSuppressionList',
        },
      },
      'bounced soft policy sender',
    ],
  ])('reads %j as %s', async (said, expected) => {
    const mail = { ...MAIL, destination: ['a@b.example'] };
    expect((await read(ses, envelope({ mail, ...said }))).map(line)).toEqual([expected]);
  });

  it('leaves out what is no feedback', async () => {
    const subscription = { newTopicPreferences: { unsubscribeAll: false } };
    for (const said of [
      { eventType: 'Send', mail: MAIL, send: {} },
      { eventType: 'Subscription', mail: MAIL, subscription },
      { notificationType: 'Complaint', mail: MAIL, complaint: { complaintFeedbackType: 'not-spam' } },
      { notificationType: 'AmazonSnsSubscriptionSucceeded' },
      'Successfully validated SNS topic for Amazon SES event publishing.',
    ])
      expect(await read(ses, envelope(said))).toEqual([]);
  });
});
