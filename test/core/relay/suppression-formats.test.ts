import { describe, expect, it } from 'vitest';
import type { ImportOptions, MailRelay } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';

const SINCE = Date.UTC(2025, 0, 6, 10, 30);

async function lines(relay: MailRelay): Promise<string[]> {
  const { items } = await relay.suppressions.list({ limit: 1000 });
  return items.map(({ address, scope, reason, since }) => {
    const at = since.getTime() === SINCE ? '' : Date.now() - since.getTime() < 3_600_000 ? ' now' : since.toISOString();
    return `${address.replace('@example.com', '')} ${scope} ${reason}${at}`;
  });
}

type Row = readonly [what: string, list: unknown, expected: readonly string[], options?: ImportOptions];
const seconds = SINCE / 1000;
const iso = new Date(SINCE).toISOString();

const ROWS: readonly Row[] = [
  [
    'SendGrid bounces, CSV, without what was blocked',
    `status,reason,email,created\n5.1.1,550 5.1.1 User unknown,ada@example.com,${seconds}\n5.7.1,550 5.7.1 blocked using zen.spamhaus.org,bob@example.com,${seconds}\n`,
    ['ada all bounced'],
  ],
  [
    'SendGrid bounces that are known to be such',
    [{ created: seconds, email: 'ada@example.com', reason: '550 5.7.1 refused', status: '5.7.1' }],
    ['ada all bounced'],
    { format: 'sendgrid-bounces' },
  ],
  [
    'SendGrid blocks, of which those for good are about the recipient',
    [
      { created: seconds, email: 'ada@example.com', reason: '550 5.7.1 blocked by policy', status: '5.7.1' },
      { created: seconds, email: 'bob@example.com', reason: '452 4.2.2 mailbox full', status: '4.2.2' },
      { created: seconds, email: 'eve@example.com', reason: '550 5.1.1 no such user', status: '5.1.1' },
    ],
    ['eve all bounced'],
    { format: 'sendgrid-blocks' },
  ],
  [
    'SendGrid spam reports, CSV',
    `ip,email,created\n192.0.2.1,ada@example.com,${seconds}\n`,
    ['ada broadcast complained'],
  ],
  [
    'SendGrid spam reports, JSON',
    [{ created: seconds, email: 'ada@example.com', ip: '192.0.2.1' }],
    ['ada broadcast complained'],
  ],
  ['SendGrid unsubscribes', `email,created\nada@example.com,${seconds}\n`, ['ada broadcast unsubscribed']],
  [
    'SendGrid unsubscribes of a group',
    [{ email: 'ada@example.com', created: seconds }],
    ['ada topic:news unsubscribed'],
    { scope: 'topic:news' },
  ],
  [
    'SendGrid invalid addresses',
    [{ created: seconds, email: 'ada@example.com', reason: 'Mail domain mentioned in email address is unknown' }],
    ['ada all bounced'],
  ],
  [
    'Mailgun bounces, JSON',
    {
      items: [
        { address: 'ada@example.com', code: '550', error: 'No such user', created_at: 'Mon, 06 Jan 2025 10:30:00 UTC' },
      ],
      paging: { next: 'https://example.com' },
    },
    ['ada all bounced'],
  ],
  [
    'Mailgun complaints, CSV',
    `address,created_at\nada@example.com,"Mon, 06 Jan 2025 10:30:00 UTC"\n`,
    ['ada broadcast complained'],
  ],
  [
    'Mailgun unsubscribes, JSON, by tag',
    {
      items: [
        { address: 'ada@example.com', tags: ['*'], created_at: 'Mon, 06 Jan 2025 10:30:00 UTC' },
        { address: 'bob@example.com', tags: ['news', 'offers'], created_at: 'Mon, 06 Jan 2025 10:30:00 UTC' },
      ],
    },
    ['ada broadcast unsubscribed', 'bob topic:news unsubscribed', 'bob topic:offers unsubscribed'],
  ],
  [
    'Amazon SES, JSON of the command line',
    {
      SuppressedDestinationSummaries: [
        { EmailAddress: 'ada@example.com', Reason: 'BOUNCE', LastUpdateTime: iso },
        { EmailAddress: 'bob@example.com', Reason: 'COMPLAINT', LastUpdateTime: '2025-01-06T11:30:00+01:00' },
      ],
      NextToken: 'x',
    },
    ['ada all bounced', 'bob broadcast complained'],
  ],
  ['Amazon SES, CSV', `EmailAddress,Reason,LastUpdateTime\nada@example.com,BOUNCE,${seconds}\n`, ['ada all bounced']],
  [
    'Amazon SES, an object a line',
    `{"emailAddress":"ada@example.com","reason":"BOUNCE","lastUpdateTime":"${iso}"}\n{"emailAddress":"bob@example.com","reason":"COMPLAINT","lastUpdateTime":"${iso}"}\n`,
    ['ada all bounced', 'bob broadcast complained'],
  ],
  [
    'Brevo blocked contacts, JSON',
    {
      contacts: [
        {
          email: 'ada@example.com',
          senderEmail: '',
          reason: { code: 'hardBounce', message: 'Hard bounce' },
          blockedAt: iso,
        },
        { email: 'bob@example.com', reason: { code: 'unsubscribedViaEmail', message: 'x' }, blockedAt: iso },
        { email: 'eve@example.com', reason: { code: 'contactFlaggedAsSpam', message: 'x' }, blockedAt: iso },
        { email: 'joe@example.com', reason: { code: 'adminBlocked', message: 'x' }, blockedAt: iso },
      ],
      count: 4,
    },
    ['ada all bounced', 'bob broadcast unsubscribed', 'eve broadcast complained', 'joe all manual'],
  ],
  [
    'Brevo blocked contacts, CSV',
    'Email;Sender;Reason;Blocked At\nada@example.com;;hardBounce;06/01/2025 10:30\n',
    ['ada all bounced'],
  ],
  [
    'Postmark suppressions, JSON',
    {
      Suppressions: [
        { EmailAddress: 'ada@example.com', SuppressionReason: 'HardBounce', Origin: 'Recipient', CreatedAt: iso },
        {
          EmailAddress: 'bob@example.com',
          SuppressionReason: 'ManualSuppression',
          Origin: 'Recipient',
          CreatedAt: iso,
        },
        { EmailAddress: 'eve@example.com', SuppressionReason: 'ManualSuppression', Origin: 'Customer', CreatedAt: iso },
        { EmailAddress: 'joe@example.com', SuppressionReason: 'SpamComplaint', Origin: 'Recipient', CreatedAt: iso },
      ],
    },
    ['ada all bounced', 'bob broadcast unsubscribed', 'eve all manual', 'joe broadcast complained'],
  ],
  [
    'Postmark suppressions, CSV',
    `EmailAddress,SuppressionReason,Origin,CreatedAt\nada@example.com,HardBounce,Recipient,${iso}\n`,
    ['ada all bounced'],
  ],
  [
    'Mailjet excluded contacts',
    {
      Count: 2,
      Data: [
        { Email: 'ada@example.com', IsExcludedFromCampaigns: true, ExclusionFromCampaignsUpdatedAt: iso, Name: '' },
        { Email: 'bob@example.com', IsExcludedFromCampaigns: false, ExclusionFromCampaignsUpdatedAt: '', Name: '' },
      ],
    },
    ['ada broadcast unsubscribed'],
  ],
  [
    'SparkPost, JSON',
    {
      results: [
        {
          recipient: 'ada@example.com',
          type: 'non_transactional',
          source: 'Bounce Rule',
          description: '550 x',
          created: iso,
          non_transactional: true,
        },
        {
          recipient: 'ada@example.com',
          type: 'transactional',
          source: 'Bounce Rule',
          description: '550 x',
          created: iso,
          transactional: true,
        },
        {
          recipient: 'bob@example.com',
          source: 'Spam Complaint',
          created: iso,
          non_transactional: true,
          transactional: true,
        },
      ],
      links: [],
      total_count: 3,
    },
    ['ada broadcast bounced', 'ada transactional bounced', 'bob all complained'],
  ],
  [
    'SparkPost, CSV',
    `recipient,transactional,non_transactional,source,description,created\nada@example.com,false,true,List Unsubscribe,,${iso}\n`,
    ['ada broadcast unsubscribed'],
  ],
  [
    'a blacklist of Sarbacane',
    "E-mail;Motif;Date d'ajout\nada@example.com;Désinscrit;06/01/2025 10:30\nbob@example.com;NPAI;06/01/2025 10:30\neve@example.com;Plainte;06/01/2025 10:30\n",
    ['ada broadcast unsubscribed', 'bob all bounced', 'eve broadcast complained'],
    { format: 'sarbacane' },
  ],
  ['any list of addresses', 'Name,Email\nAda,ada@example.com\n', ['ada all manual now']],
  ['a list that asks for a reason', 'email\nada@example.com\n', ['ada all bounced now'], { reason: 'bounced' }],
];

describe('lists of providers', () => {
  const cases = ROWS.map(([what, list, expected, options]) => ({ what, list, expected, options }));
  it.each(cases)('$what', async ({ list, expected, options }) => {
    const relay = relayWith({ thread: false });
    const text = typeof list === 'string' ? list : JSON.stringify(list, null, 2);
    const first = await relay.suppressions.import(text, options);
    expect(await lines(relay)).toEqual(expected);
    // Again, without spaces, and in small pieces.
    const bytes = Buffer.from(typeof list === 'string' ? list : JSON.stringify(list));
    const pieces = async function* () {
      for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
    };
    expect(await relay.suppressions.import(pieces(), options)).toMatchObject({
      imported: first.imported,
      skippedCount: first.skippedCount,
    });
    expect(await lines(relay)).toEqual(expected);
  });

  it('keep the time of our own export', async () => {
    const [first, second] = [relayWith({ thread: false }), relayWith({ thread: false })];
    await first.suppressions.import(`email,created\nada@example.com,${seconds}\n`);
    await second.suppressions.import(first.suppressions.export());
    const kept = await lines(second);
    expect(kept).toEqual(['ada broadcast unsubscribed']);
  });

  it('do not bring back what was lifted since', async () => {
    const relay = relayWith({ thread: false });
    const list = `status,reason,email,created\n5.1.1,550 5.1.1 User unknown,ada@example.com,${seconds}\n`;
    await relay.suppressions.import(list);
    await relay.suppressions.lift('ada@example.com', { note: 'wrote again' });
    await relay.suppressions.import(list);
    expect(await relay.suppressions.has('ada@example.com')).toBe(false);
    const { deliveries } = await relay.send({ to: 'ada@example.com', subject: 'Hello', text: 'Hello' });
    expect(deliveries[0]?.state).not.toBe('suppressed');
    await relay.suppressions.add('ada@example.com', { reason: 'bounced' });
    expect(await relay.suppressions.has('ada@example.com')).toBe(true);
  });

  it('have times that cannot be as now', async () => {
    const relay = relayWith({ thread: false });
    const later = new Date(Date.now() + 5 * 86_400_000).toISOString();
    await relay.suppressions.import(`email,created_at\nada@example.com,someday\nbob@example.com,${later}\n`);
    expect(await lines(relay)).toEqual(['ada all manual now', 'bob all manual now']);
  });

  it('say in which line an entry is broken, and go on', async () => {
    const relay = relayWith({ thread: false });
    const json = `{"items": [\n{"address": "nobody"},\n{"address": "ada@example.com", "created_at": ${seconds}},\n{"address": },\n{"address": "${'x'.repeat(100_000)}"},\n{"address": "bob@example.com"}, {"address": "eve@ex`;
    const { imported, skipped, skippedCount } = await relay.suppressions.import(json);
    expect({ imported, skippedCount, lines: skipped.map(({ line }) => line) }).toEqual({
      imported: 2,
      skippedCount: 4,
      lines: [2, 4, 5, 6],
    });
    await expect(relay.suppressions.import('[]', { format: 'mandrill' as never })).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
    });
    expect(await relay.suppressions.import('[]')).toEqual({ imported: 0, skipped: [], skippedCount: 0 });
  });

  it('are read in pieces, however long they are', async () => {
    const relay = relayWith({ thread: false });
    const count = 3000;
    let most = 0;
    const pieces = async function* () {
      yield '{"SuppressedDestinationSummaries":[';
      for (let number = 0; number < count; number++) {
        yield `${number === 0 ? '' : ','}{"EmailAddress":"r${number}@example.com","Reason":"BOUNCE","LastUpdateTime":"${iso}"}`;
        if (number % 1000 === 999) most = Math.max(most, (await relay.suppressions.list({ limit: 1000 })).items.length);
      }
      yield ']}';
    };
    expect(await relay.suppressions.import(pieces())).toMatchObject({ imported: count, skippedCount: 0 });
    // The first were on the list before the last were read.
    expect(most).toBeGreaterThan(500);
  });
});
