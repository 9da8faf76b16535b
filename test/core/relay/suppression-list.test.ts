import { describe, expect, it } from 'vitest';
import type { MailRelay } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';

async function entries(relay: MailRelay): Promise<string[]> {
  const { items } = await relay.suppressions.list();
  return items.map(({ address, scope, reason, evidence }) => [address, scope, reason, evidence].join(' '));
}

describe('lists of suppressions', () => {
  it('are exported and imported again as they were', async () => {
    const [first, second] = [relayWith({ thread: false }), relayWith({ thread: false })];
    const until = new Date(Date.now() + 86_400_000);
    await first.suppressions.add('Ada@Example.com', { reason: 'bounced', evidence: '550 "no", he\nsaid' });
    await first.suppressions.add('bob@example.com', { scope: 'topic:news', evidence: '=1+1', until });
    await first.suppressions.add('gone@example.com');
    await first.suppressions.lift('gone@example.com', { note: 'wrote again' });
    expect(await second.suppressions.import(first.suppressions.export())).toEqual({
      imported: 2,
      skipped: [],
      skippedCount: 0,
    });
    expect(await entries(second)).toEqual([
      'ada@example.com all bounced 550 "no", he\nsaid',
      "bob@example.com topic:news manual '=1+1",
    ]);
    expect((await second.suppressions.list()).items[1]?.until).toEqual(until);
  });

  it.each([
    [
      'SendGrid',
      'status,reason,email,created\n5.1.1,"550 5.1.1 The account, it seems, does not exist at all",ada@example.com,1700000000\n',
      'ada@example.com all bounced 550 5.1.1 The account, it seems, does not exist at all',
    ],
    [
      'Mailgun',
      'address,code,error,created_at\r\nada@example.com,550,No such mailbox,"Fri, 02 May 2025"\r\n',
      'ada@example.com all bounced 550 No such mailbox',
    ],
    [
      'Amazon SES',
      'EmailAddress,Reason,LastUpdateTime\nada@example.com,COMPLAINT,2025-01-01\n',
      'ada@example.com broadcast complained COMPLAINT',
    ],
    ['a spreadsheet', '\ufeffE-Mail;Type\nada@example.com;unsubscribed\n', 'ada@example.com all unsubscribed '],
  ])('are read as %s writes them', async (_, csv, entry) => {
    const relay = relayWith({ thread: false });
    await relay.suppressions.import(csv, { reason: 'bounced' });
    expect(await entries(relay)).toEqual([entry]);
  });

  it('say which lines they could not read', async () => {
    const relay = relayWith({ thread: false });
    const csv = `address,scope,until\nnobody,all,\na@example.com,elsewhere,\nb@example.com,all,soon\n${'x'.repeat(100_000)}\nc@example.com,,\n`;
    const { imported, skipped, skippedCount } = await relay.suppressions.import(csv);
    expect({ imported, skippedCount, lines: skipped.map(({ line }) => line) }).toEqual({
      imported: 1,
      skippedCount: 4,
      lines: [2, 3, 4, 5],
    });
    await expect(relay.suppressions.import('name\nada')).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
  });

  it('are lifted with a note, and suppress anew', async () => {
    const relay = relayWith({ thread: false });
    await relay.suppressions.add('ada@example.com', { reason: 'bounced' });
    expect(await relay.suppressions.lift('ada@example.com', { note: 'mailbox is back' })).toBe(1);
    expect(await relay.suppressions.lift('ada@example.com')).toBe(0);
    expect(await relay.suppressions.has('ada@example.com')).toBe(false);
    expect((await relay.suppressions.list()).items).toMatchObject([{ lifted: { note: 'mailbox is back' } }]);
    await relay.suppressions.add('ada@example.com', { reason: 'complained' });
    expect(await relay.suppressions.has('ada@example.com')).toBe(true);
  });

  it('end by themselves', async () => {
    const relay = relayWith({ thread: false });
    await relay.suppressions.add('ada@example.com', { until: new Date(Date.now() - 1) });
    expect(await relay.suppressions.has('ada@example.com')).toBe(false);
  });
});
