import { authenticate } from 'mailauth';
import { describe, expect, it, vi } from 'vitest';
import { type MailRelay, type MailRelayOptions, type SendMessage, smtp } from '../../../packages/core/src/index.ts';
import { dkimpyVerdicts, ED25519, hasDkimpy, RSA, recordOf, verdicts } from '../../support/dkim.ts';
import { relayWith } from '../../support/relay.ts';
import { smtpServer } from '../../support/smtp.ts';

const KEYS = [
  { domain: 'example.com', selector: 'r1', privateKey: RSA },
  { domain: 'example.com', selector: 'e1', privateKey: ED25519 },
];
const ZONE = { 'r1._domainkey.example.com': recordOf(RSA), 'e1._domainkey.example.com': recordOf(ED25519) };
const BOTH = ['pass rsa-sha256 r1.example.com', 'pass ed25519-sha256 e1.example.com'];

/** A relay that signs, and the mails that a server got, byte for byte. `refuse` answers the first attempts. */
async function signingRelay(
  options: MailRelayOptions = {},
  refuse = 0,
): Promise<{ readonly relay: MailRelay; received(count: number): Promise<Buffer[]> }> {
  const mails: Buffer[] = [];
  let left = refuse;
  const { port } = await smtpServer({
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        mails.push(Buffer.concat(chunks));
        left -= 1;
        done(left < 0 ? null : Object.assign(new Error('later'), { responseCode: 451 }));
      });
    },
  });
  const routes = [smtp(`smtp://127.0.0.1:${port}`)];
  const relay = relayWith({ thread: false, dkim: { keys: KEYS }, routes, ...options });
  return {
    relay,
    received: (count) =>
      vi.waitFor(
        () => {
          if (mails.length < count) throw new Error(`${mails.length} of ${count} mails came`);
          return mails;
        },
        { timeout: 10_000, interval: 20 },
      ),
  };
}

const HELLO = { to: 'ada@example.net', subject: 'Hello' };
const template = {
  name: 'welcome',
  html: '<p>Hello   {{name}} <a href="https://a.example/{{name}}">x</a></p>\n\n\t<p>  .</p>\n',
  subject: 'Hello {{name}}',
};

describe('a mail that a server receives verifies', () => {
  it.each<[string, SendMessage]>([
    ['text', { ...HELLO, text: 'Hello' }],
    [
      'raw HTML, tracked',
      { ...HELLO, html: '<a href="https://a.example">x</a>', tracking: { opens: true, clicks: true } },
    ],
    ['a template', { to: HELLO.to, template: 'welcome', data: { name: 'Ada' } }],
    ['text in UTF-8', { ...HELLO, subject: 'Été 字 🌷', text: 'Zoë 字 🌷', from: 'Zoë <zoe@example.com>' }],
    [
      'attachments',
      { ...HELLO, text: 'x', attachments: [{ filename: 'a.bin', content: Buffer.alloc(100_000, 0xfe) }] },
    ],
    [
      'an inline image and a calendar',
      {
        ...HELLO,
        html: '<img src="cid:i">',
        attachments: [{ filename: 'i.png', content: Buffer.from('png'), cid: 'i' }],
        icalEvent: { method: 'REQUEST', content: 'BEGIN:VCALENDAR\nEND:VCALENDAR\n' },
      },
    ],
    [
      'bytes over 127 in a message that is attached',
      {
        ...HELLO,
        text: 'x',
        attachments: [{ filename: 'm.eml', contentType: 'message/rfc822', content: 'Subject: é\r\n\r\né  \r\n.\r\n' }],
      },
    ],
    ['lines that begin with dots', { ...HELLO, text: '.\n..\n.a\n\n.' }],
    ['white space everywhere', { ...HELLO, text: '  a  \t b \n \n\t\n  \n\n\n' }],
    ['an empty body', { ...HELLO, text: '' }],
    ['long lines', { ...HELLO, text: `${'word '.repeat(5000)}\n${'x'.repeat(5000)}` }],
    [
      'a long header',
      { ...HELLO, text: 'x', headers: { 'Feedback-ID': `a:b:${'c '.repeat(600)}` }, subject: 'long '.repeat(200) },
    ],
  ])('%s', async (_, message) => {
    const { relay, received } = await signingRelay({ templates: [template] });
    await relay.send(message);
    const [mail = Buffer.alloc(0)] = await received(1);
    expect(await verdicts(mail, ZONE)).toEqual(BOTH);
    if (hasDkimpy) expect(dkimpyVerdicts(mail, ZONE)).toEqual([true, true]);
  });

  it('of a broadcast, and the links to leave it are covered', async () => {
    const { relay, received } = await signingRelay();
    await relay.sendMany([{ to: 'ada@example.net' }, { to: 'bob@example.net' }], {
      subject: 'News',
      html: '<p>News</p>',
      campaign: 'spring',
    });
    const mails = await received(2);
    for (const mail of mails) {
      expect(await verdicts(mail, ZONE)).toEqual(BOTH);
      const text = mail.toString();
      const other = text.replace(/List-Unsubscribe: <[^>]*>/, 'List-Unsubscribe: <https://evil.example/u>');
      expect(other).not.toBe(text);
      const second = `List-Unsubscribe: <https://evil.example/u>\r\n${text}`;
      const post = text.replace(/List-Unsubscribe-Post: [^\r]*\r\n/, '');
      expect(post).not.toBe(text);
      for (const changed of [other, second, post])
        for (const verdict of await verdicts(changed, ZONE)) expect(verdict).not.toMatch(/^pass/);
    }
  });

  it('and passes DMARC by its signatures alone, as mailauth sees it', async () => {
    const { relay, received } = await signingRelay();
    await relay.send({ ...HELLO, from: 'a@shop.example.com', text: 'x' });
    const [mail = Buffer.alloc(0)] = await received(1);
    const records: Record<string, string> = { ...ZONE, '_dmarc.example.com': 'v=DMARC1; p=reject' };
    const { dmarc } = await authenticate(mail, {
      ip: '192.0.2.1',
      helo: 'x.example',
      sender: 'bounce@elsewhere.example',
      resolver: async (name, type) => {
        const record = records[name];
        if (type !== 'TXT' || record === undefined) throw Object.assign(new Error(name), { code: 'ENOTFOUND' });
        return [[record]];
      },
    });
    expect(dmarc).toMatchObject({ status: { result: 'pass' } });
  });
});

describe('a second attempt', () => {
  it('is signed anew, with the same Message-ID and Date', async () => {
    const { relay, received } = await signingRelay({ queue: { retryFirstMs: 20, retryMaxMs: 20 } }, 1);
    await relay.send({ ...HELLO, text: 'Hello' });
    const [first, second] = (await received(2)).map(String) as [string, string];
    for (const mail of [first, second]) expect(await verdicts(mail, ZONE)).toEqual(BOTH);
    for (const name of ['Message-ID', 'Date'])
      expect(new RegExp(`^${name}: (.*)`, 'm').exec(second)?.[1]).toBe(
        new RegExp(`^${name}: (.*)`, 'm').exec(first)?.[1],
      );
  });
});

describe('a mail near the limit', () => {
  it('counts its signatures when it is accepted, not when it leaves', async () => {
    const bytesOf = async (options: MailRelayOptions): Promise<number> => {
      const { relay, received } = await signingRelay(options);
      await relay.send({ ...HELLO, text: 'x'.repeat(900) });
      return ((await received(1))[0] ?? '').length;
    };
    const bytes = await bytesOf({});
    const { relay } = await signingRelay({ limits: { maxMessageBytes: bytes - 10 } });
    await expect(relay.send({ ...HELLO, text: 'x'.repeat(900) })).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(await bytesOf({ limits: { maxMessageBytes: bytes + 50 } })).toBeGreaterThan(1000);
  });
});
