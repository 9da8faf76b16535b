import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { relayWith } from '../../support/relay.ts';
import { dsn } from './dsn.ts';
import { setting } from './setting.ts';

describe('a mail that came back', () => {
  it('finds its delivery by the token of the address that it comes to', async () => {
    const { relay, send, state } = await setting({ bounceDomain: 'bounces.example.com' });
    const told: unknown[] = [];
    relay.on(
      'bounced',
      ({ kind, reason, foundBy, source, reportingMta }) =>
        void told.push({ kind, reason, foundBy, source, reportingMta }),
    );
    const { id, from } = await send('ada@example.net');
    expect(from).toMatch(/^bounce\+[0-9a-z]{14,24}@bounces\.example\.com$/);
    expect(from.split('@')[0]?.length).toBeLessThanOrEqual(64);
    // Servers put the local part into another case, and the address elsewhere.
    const raw = dsn({ to: from.toUpperCase(), recipient: 'somebody@elsewhere.example' });
    const { kind, feedback } = await relay.feedback.receive(raw);
    expect(kind).toBe('dsn');
    expect(feedback).toMatchObject([{ type: 'bounced', deliveryId: id, foundBy: 'id', outcome: 'moved' }]);
    expect(await state(id)).toBe('bounced');
    expect(told).toEqual([
      { kind: 'hard', reason: 'no-such-mailbox', foundBy: 'id', source: 'dsn', reportingMta: 'mx.example.net' },
    ]);
    expect(await relay.suppressions.has('ada@example.net')).toBe(true);
    expect((await relay.feedback.receive(raw)).feedback).toMatchObject([{ outcome: 'repeated' }]);
  });

  it('finds nothing by a token that somebody made up', async () => {
    const { relay, send, state } = await setting({ bounceDomain: 'returns@example.com' });
    const { id, from } = await send('ada@example.net');
    expect(from).toMatch(/^returns\+[0-9a-z]+@example\.com$/);
    const forged = from.replace(/.(?=@)/, (last) => (last === 'a' ? 'b' : 'a'));
    const { feedback } = await relay.feedback.receive(dsn({ to: forged, recipient: 'nobody@elsewhere.example' }));
    expect(feedback).toMatchObject([{ outcome: 'unmatched' }]);
    expect(await state(id)).toBe('sent');
    expect((await relay.feedback.unmatched()).items).toMatchObject([
      { event: { recipient: 'nobody@elsewhere.example' } },
    ]);
  });

  it('finds its delivery by the Message-ID of the mail that it returns, and leaves the envelope that a message names', async () => {
    const { relay, send } = await setting({ bounceDomain: 'bounces.example.com' });
    const { id, source, from } = await send('ada@example.net', { envelope: { from: 'own@example.com' } });
    expect(from).toBe('own@example.com');
    const { feedback } = await relay.feedback.receive(Readable.from([dsn({ returned: source })]));
    expect(feedback).toMatchObject([{ deliveryId: id, foundBy: 'message-id', outcome: 'moved' }]);
  });

  it('finds the recipient that a complaint hides by the unsubscribe link of the mail', async () => {
    const { relay, send, state } = await setting();
    const { id, source } = await send('ada@example.net', { stream: 'broadcast' });
    const hidden = source.replace(/^(?:To|Message-ID):.*\r\n/gim, '').replaceAll('ada@example.net', 'redacted');
    const report = `From: fbl@isp.example\r\nSubject: complaint\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=y\r\n\r\n--y\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: ISP/1\r\nVersion: 1\r\nOriginal-Rcpt-To: redacted@isp.example\r\n\r\n--y\r\nContent-Type: message/rfc822\r\n\r\n${hidden}\r\n--y--\r\n`;
    const { kind, feedback } = await relay.feedback.receive(Buffer.from(report));
    expect(kind).toBe('arf');
    expect(feedback).toMatchObject([
      { type: 'complained', recipient: 'ada@example.net', deliveryId: id, outcome: 'moved' },
    ]);
    expect(await state(id)).toBe('complained');
    expect(await relay.suppressions.has('ada@example.net', { stream: 'broadcast' })).toBe(true);
    expect(await relay.suppressions.has('ada@example.net', { stream: 'transactional' })).toBe(false);
  });

  it('suppresses nobody for what the sender is at fault for, and warns', async () => {
    const warnings: unknown[] = [];
    const logger = {
      debug() {},
      info() {},
      error() {},
      warn: (fields: unknown, text: string) => void warnings.push([text, fields]),
    };
    const { relay, send, state } = await setting({ bounceDomain: 'bounces.example.com', logger });
    const { id, from } = await send('ada@example.net');
    await relay.feedback.receive(
      dsn({ to: from, status: '5.7.1', diagnostic: 'Client host blocked using zen.spamhaus.org' }),
    );
    expect(await state(id)).toBe('bounced');
    expect(await relay.suppressions.has('ada@example.net')).toBe(false);
    expect(warnings).toMatchObject([
      ['mail was refused for a reason of the sender', { reason: 'blocked-ip', deliveryId: id }],
    ]);
  });

  it('moves nothing where it is a delay notice, an automatic answer or a read receipt', async () => {
    const { relay, send, state } = await setting({ bounceDomain: 'bounces.example.com' });
    const { id, from } = await send('ada@example.net');
    const delayed = dsn({ to: from, status: '4.4.1', diagnostic: 'Connection timed out' }).replace(
      'Action: failed',
      'Action: delayed',
    );
    expect((await relay.feedback.receive(delayed)).feedback).toMatchObject([
      { type: 'deferred', outcome: 'recorded', deliveryId: id },
    ]);
    const answer = `From: ada@example.net\nTo: ${from}\nSubject: Out of office\nAuto-Submitted: auto-replied\n\nBack on Monday; my mailbox is full.`;
    expect((await relay.feedback.receive(answer)).feedback).toMatchObject([
      { type: 'auto-replied', outcome: 'recorded', deliveryId: id },
    ]);
    expect(await relay.feedback.receive('From: ada@example.net\nSubject: Hi\n\nHello')).toEqual({
      kind: 'mail',
      feedback: [],
    });
    expect(await state(id)).toBe('sent');
    const events = (await relay.messages.get(id))?.events.map(({ type }) => type);
    expect(events).toEqual(['accepted', 'sent', 'deferred', 'auto-replied']);
    expect((await relay.suppressions.list()).items).toEqual([]);
  });

  it('follows the policy of the host', async () => {
    const { relay, send } = await setting({
      bounceDomain: 'b.example.com',
      suppression: { hardBounces: 'stream', softBounces: { count: 1, forDays: 5 } },
    });
    const hard = await send('ada@example.net');
    await relay.feedback.receive(dsn({ to: hard.from }));
    expect(await relay.suppressions.has('ada@example.net', { stream: 'transactional' })).toBe(true);
    expect(await relay.suppressions.has('ada@example.net', { stream: 'broadcast' })).toBe(false);
    const soft = await send('bob@example.net');
    await relay.feedback.receive(
      dsn({ to: soft.from, id: 'd2', recipient: 'bob@example.net', status: '5.2.2', diagnostic: 'Mailbox full' }),
    );
    const entry = (await relay.suppressions.list()).items.find(({ address }) => address === 'bob@example.net');
    // It ends so long after the bounce, which was a little before it was read.
    const lasts = (entry?.until?.getTime() ?? 0) - (entry?.since.getTime() ?? 0);
    expect(Math.abs(lasts - 5 * 86_400_000)).toBeLessThan(60_000);
  });

  it('crosses into the engine of another thread', async () => {
    const { relay, send } = await setting({ thread: true, bounceDomain: 'b.example.com' });
    const { from } = await send('ada@example.net');
    expect((await relay.feedback.receive(Buffer.from(dsn({ to: from })))).feedback).toMatchObject([
      { outcome: 'moved' },
    ]);
  });

  it('is refused where it is no mail, or its stream fails', async () => {
    const relay = relayWith({ thread: false });
    for (const wrong of [undefined, null, 5, {}])
      await expect(relay.feedback.receive(wrong as never)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
    const broken = new Readable({
      read() {
        this.destroy(new Error('pipe closed'));
      },
    });
    await expect(relay.feedback.receive(broken)).rejects.toMatchObject({ code: 'MAIL_UNREADABLE', retry: true });
    await expect(relay.feedback.receive(Readable.from([{ a: 1 }]) as never)).rejects.toMatchObject({
      code: 'MAIL_UNREADABLE',
    });
  });
});
