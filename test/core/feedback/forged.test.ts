import { describe, expect, it, vi } from 'vitest';
import { type MailRelay, type MailRelayOptions, smtp } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';
import { type Inbox, smtpServer } from '../../support/smtp.ts';
import { dsn } from './dsn.ts';

interface Setting {
  readonly relay: MailRelay;
  readonly server: Inbox;
  /** Sends, and answers the ids of the deliveries in the order of the recipients. */
  send(to: string | string[], over?: object): Promise<string[]>;
  source(to: string): string;
}

async function setting(options: MailRelayOptions = {}): Promise<Setting> {
  const server = await smtpServer();
  const relay = relayWith({ routes: [smtp(`smtp://127.0.0.1:${server.port}`)], thread: false, ...options });
  return {
    relay,
    server,
    source: (to) => server.mails.find((mail) => mail.to === to)?.source ?? '',
    async send(to, over = {}) {
      const { id, deliveries } = await relay.send({ to, subject: 'Hello', text: 'Hello', ...over });
      await vi.waitFor(async () => {
        const states = (await relay.messages.get(id))?.deliveries.map(({ state }) => state);
        expect(new Set(states)).toEqual(new Set(['sent']));
      });
      return deliveries.map((delivery) => delivery.id);
    },
  };
}

const messageIdIn = (source: string): string => /^Message-ID: <([^>]+)>/im.exec(source)?.[1] ?? '';

let reports = 0;
/** A bounce that somebody wrote: for good, about a recipient, of a mail with these lines. */
function forged(recipient: string, returned: string): string {
  reports += 1;
  return dsn({ recipient, returned, id: `forged${reports}` });
}

function complaint(recipient: string, returned: string, type = 'abuse'): string {
  reports += 1;
  return `From: fbl@isp.example\r\nMessage-ID: <forged${reports}@isp.example>\r\nSubject: complaint\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=y\r\n\r\n--y\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: ${type}\r\nUser-Agent: ISP/1\r\nVersion: 1\r\nOriginal-Rcpt-To: ${recipient}\r\n\r\n--y\r\nContent-Type: message/rfc822\r\n\r\n${returned}\r\n--y--\r\n`;
}

describe('a bounce mail that somebody made up', () => {
  it('suppresses nobody by an id of ours, which can be guessed, however often it comes', async () => {
    const { relay, send } = await setting();
    for (let mail = 0; mail < 4; mail++) {
      const [id] = await send('ada@example.net');
      const claim = `X-SES-MESSAGE-TAGS: mail_relay_delivery=${id}`;
      const [event] = (await relay.feedback.receive(forged('ada@example.net', claim))).feedback;
      expect(event).toMatchObject({ type: 'bounced', kind: 'hard', deliveryId: id, foundBy: 'unsigned-id' });
      await relay.feedback.receive(complaint('ada@example.net', claim));
    }
    expect((await relay.suppressions.list()).items).toEqual([]);
  });

  it('changes nothing by an id of ours where it does not know the address', async () => {
    const { relay, send } = await setting();
    const [id] = await send('ada@example.net');
    const claim = `X-SES-MESSAGE-TAGS: mail_relay_delivery=${id}`;
    const { feedback } = await relay.feedback.receive(forged('eve@example.net', claim));
    expect(feedback).toMatchObject([{ outcome: 'unmatched' }]);
    expect((await relay.messages.get(id ?? ''))?.deliveries[0]?.state).toBe('sent');
  });

  it('cannot name the mail of another reader of the same campaign', async () => {
    const { relay, source } = await setting();
    const people = ['eve@example.net', 'ada@example.net'];
    await relay.sendMany(people, { subject: 'News', text: 'News', campaign: 'spring' });
    await vi.waitFor(async () => expect((await relay.reports.campaign('spring')).sent).toBe(2));
    const [eve = '', ada = ''] = people.map((to) => messageIdIn(source(to)));
    const numberOf = (id: string): string => id.split('.')[0] ?? '';
    // Numbers follow one another, so that Eve knows them all; what is signed is not hers to know.
    const guess = eve.replace(numberOf(eve), numberOf(ada));
    expect(guess).not.toBe(ada);
    const { feedback } = await relay.feedback.receive(forged('ada@example.net', `Message-ID: <${guess}>`));
    expect(feedback).toMatchObject([{ outcome: 'unmatched' }]);
    const own = await relay.feedback.receive(forged('eve@example.net', `Message-ID: <${eve}>`));
    expect(own.feedback).toMatchObject([{ outcome: 'moved', foundBy: 'message-id' }]);
    expect((await relay.suppressions.list()).items).toMatchObject([{ address: 'eve@example.net' }]);
  });

  it('suppresses nobody who is not a recipient of the message that it names', async () => {
    const { relay, send, source } = await setting();
    await send('ada@example.net');
    const [, bob] = await send(['eve@example.net', 'bob@example.net']);
    const shared = `Message-ID: <${messageIdIn(source('eve@example.net'))}>`;
    const { feedback } = await relay.feedback.receive(forged('ada@example.net', shared));
    expect(feedback).toMatchObject([{ outcome: 'unmatched' }]);
    expect((await relay.suppressions.list()).items).toEqual([]);
    // Recipients of one message share its Message-ID; the address says whose mail it was.
    const own = await relay.feedback.receive(forged('bob@example.net', shared));
    expect(own.feedback).toMatchObject([{ deliveryId: bob, foundBy: 'message-id' }]);
    expect((await relay.suppressions.list()).items).toMatchObject([{ address: 'bob@example.net' }]);
  });

  it('suppresses nobody by a Message-ID that the host chose', async () => {
    const { relay, send } = await setting();
    await send('ada@example.net', { messageId: '<order-17@shop.example>' });
    const report = forged('ada@example.net', 'Message-ID: <order-17@shop.example>');
    expect((await relay.feedback.receive(report)).feedback).toMatchObject([{ foundBy: 'message-id' }]);
    expect((await relay.suppressions.list()).items).toEqual([]);
  });

  it('takes nobody off a list on the word of a report that anybody can write', async () => {
    const { relay, send } = await setting();
    await send('ada@example.net', { stream: 'broadcast' });
    const report = complaint('ada@example.net', 'Subject: News', 'opt-out');
    expect((await relay.feedback.receive(report)).feedback).toMatchObject([
      { type: 'unsubscribed', outcome: 'unmatched' },
    ]);
    expect((await relay.suppressions.list()).items).toEqual([]);
  });
});
