import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSigner } from '../../../../packages/core/src/compose/dkim/signer.ts';
import { type DkimOptions, resolveDkim } from '../../../../packages/core/src/dkim-options.ts';
import { dkimpyVerdicts, ED25519, hasDkimpy, OTHER_RSA, RSA, recordOf, verdicts } from '../../../support/dkim.ts';

const KEYS = [
  { domain: 'example.com', selector: 'r1', privateKey: RSA },
  { domain: 'example.com', selector: 'e1', privateKey: ED25519 },
];
const ZONE = { 'r1._domainkey.example.com': recordOf(RSA), 'e1._domainkey.example.com': recordOf(ED25519) };
const BOTH = ['pass rsa-sha256 r1.example.com', 'pass ed25519-sha256 e1.example.com'];
const MAIL = `From: App <app@example.com>\r
To: Ada <ada@example.net>\r
Subject: Hello\r
 again\r
Message-ID: <1@example.com>\r
Date: Thu, 01 Jan 2026 00:00:00 +0000\r
MIME-Version: 1.0\r
Content-Type: text/plain\r
\r
Hello,\r
\r
.dots  and\tspaces \r
`;
let now = Date.now();
const clock = { now: () => now };

async function signed(
  mail: string | Buffer,
  options: Partial<DkimOptions> = {},
  from = 'example.com',
): Promise<Buffer> {
  return createSigner(resolveDkim({ keys: KEYS, ...options }, {}), clock).sign(Buffer.from(mail), from);
}

/** Tags of the first signature. */
function tagsOf(mail: Buffer): Record<string, string> {
  const field = /^DKIM-Signature:(.*?)\r\n(?![ \t])/is.exec(mail.toString('latin1'))?.[1] ?? '';
  return Object.fromEntries(field.split(';').map((tag) => tag.replace(/\s+/g, '').split(/=(.*)/s)));
}

describe('a signed mail', () => {
  it('has a signature of each kind of key on top, and both verify', async () => {
    const mail = await signed(MAIL);
    expect(mail.toString().endsWith(MAIL)).toBe(true);
    expect(await verdicts(mail, ZONE)).toEqual(BOTH);
  });

  it.skipIf(!hasDkimpy)('verifies with dkimpy, too', async () => {
    expect(dkimpyVerdicts(await signed(MAIL), ZONE)).toEqual([true, true]);
    const tampered = (await signed(MAIL)).toString().replace('Hello,', 'Hallo,');
    expect(dkimpyVerdicts(tampered, ZONE)).toEqual([false, false]);
  });

  it('names what it covers, and From and its kin once more than they are there', async () => {
    const list =
      'List-Unsubscribe: <https://a.example/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nFeedback-ID: a:b:c\r\n';
    const { h = '', c, t, x } = tagsOf(await signed(list + MAIL));
    expect({ c, t, x }).toEqual({ c: 'relaxed/relaxed', t: String(Math.floor(now / 1000)), x: undefined });
    const counts = Object.groupBy(h.split(':'), (name) => name);
    expect(Object.fromEntries(Object.entries(counts).map(([name, all]) => [name, all?.length]))).toEqual({
      From: 2,
      To: 2,
      Cc: 1,
      Subject: 2,
      Date: 2,
      'Message-ID': 2,
      'Reply-To': 1,
      'MIME-Version': 2,
      'Content-Type': 2,
      'Content-Transfer-Encoding': 1,
      'Feedback-ID': 1,
      'List-Unsubscribe': 2,
      'List-Unsubscribe-Post': 2,
    });
  });

  it('says when it expires where that is wanted, and is void then', async () => {
    const mail = await signed(MAIL, { expireAfterMs: 60_000 });
    const { t, x } = tagsOf(mail);
    expect(Number(x) - Number(t)).toBe(60);
    expect(await verdicts(mail, ZONE)).toEqual(BOTH);
    now -= 3_600_000;
    const old = await signed(MAIL, { expireAfterMs: 60_000 });
    now += 3_600_000;
    for (const verdict of await verdicts(old, ZONE)) expect(verdict).not.toMatch(/^pass/);
  });

  it('leaves out fields that the next hop rewrites', async () => {
    const mail = (await signed(MAIL, { unsignedHeaders: ['message-id', 'Date'] })).toString();
    const rewritten = mail.replace('<1@example.com>', '<other@example.net>').replace('01 Jan', '02 Jan');
    expect(rewritten).not.toBe(mail);
    expect(await verdicts(rewritten, ZONE)).toEqual(BOTH);
  });

  it.each<[string, (mail: string) => string]>([
    ['the body', (mail) => mail.replace('Hello,', 'Hallo,')],
    ['a line after the body', (mail) => `${mail}more\r\n`],
    ['the subject', (mail) => mail.replace('Subject: Hello', 'Subject: Hullo')],
    ['the sender', (mail) => mail.replace('app@example.com', 'boss@example.com')],
    ['a second From', (mail) => `From: boss@example.com\r\n${mail}`],
    ['a second Subject', (mail) => `Subject: Other\r\n${mail}`],
    ['a Reply-To', (mail) => `Reply-To: boss@example.org\r\n${mail}`],
    ['a transfer encoding', (mail) => `Content-Transfer-Encoding: base64\r\n${mail}`],
    ['the content type', (mail) => mail.replace('text/plain', 'text/html')],
    ['the time of the signature', (mail) => mail.replace(/ t=(\d)/g, ' t=9')],
  ])('does not verify any more after a change of: %s', async (_, change) => {
    const mail = (await signed(MAIL)).toString();
    expect(change(mail)).not.toBe(mail);
    const after = await verdicts(change(mail), ZONE);
    expect(after).toHaveLength(2);
    for (const verdict of after) expect(verdict).not.toMatch(/^pass/);
  });

  it('survives what relays do: trace fields on top, folding, white space', async () => {
    const mail = (await signed(MAIL)).toString();
    const relayed = `Received: from a by b; now\r\nX-Provider: yes\r\n${mail.replace('Subject: Hello\r\n again', 'SUBJECT:  Hello  again ').replace('dots  and', 'dots and')}\r\n\r\n`;
    expect(await verdicts(relayed, ZONE)).toEqual(BOTH);
  });

  it('verifies whatever its fields and body hold', async () => {
    const value = fc.string({
      unit: fc.constantFrom('a', ' ', '\t', 'é', '字', ':', ';', '=', '\r\n x'),
      maxLength: 40,
    });
    const body = fc.array(fc.constantFrom('a', ' ', '\t', '.', '\r\n', 'é', '\r\n.\r\n', '\0'), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(value, value, body, async (subject, other, lines) => {
        const head = `From: a@example.com\r\nSubject: x${subject}\r\nList-ID: ${other}x\r\nFeedback-ID: a\r\nFeedback-ID: b\r\n`;
        expect(await verdicts(await signed(`${head}\r\n${lines.join('')}`), ZONE)).toEqual(BOTH);
      }),
      { numRuns: 100 },
    );
  });

  it('has lines of at most 76 characters, whatever it covers', async () => {
    const many = Array.from({ length: 30 }, (_, index) => `List-Help: <https://a.example/${index}>\r\n`).join('');
    const mail = (await signed(many + MAIL)).toString();
    const head = mail.slice(0, mail.indexOf('List-Help: <'));
    for (const line of head.split('\r\n')) expect(line.length).toBeLessThanOrEqual(76);
    expect(await verdicts(mail, ZONE)).toEqual(BOTH);
  });

  it('is never longer than it says beforehand', async () => {
    const signer = createSigner(resolveDkim({ keys: KEYS }, {}), clock);
    const many = 'List-Unsubscribe-Post: a\r\n'.repeat(200);
    for (const [mail, fields] of [
      [MAIL, 0],
      [many + MAIL, 200],
    ] as const) {
      const bytes = (await signer.sign(Buffer.from(mail), 'example.com')).length - Buffer.byteLength(mail);
      expect(bytes).toBeLessThanOrEqual(signer.mostBytes('example.com', fields));
    }
    expect(signer.mostBytes('example.net', 0)).toBe(0);
  });
});

describe('the domain that signs', () => {
  const zone = { ...ZONE, 'n._domainkey.news.example.com': recordOf(OTHER_RSA) };
  const keys = [...KEYS, { domain: 'news.example.com', selector: 'n', privateKey: OTHER_RSA }];
  const by = async (from: string, options: Partial<DkimOptions> = {}): Promise<string[]> =>
    verdicts(await signed(MAIL.replace('app@example.com', `app@${from}`), { keys, ...options }, from), zone);

  it('is that of the sender, else the nearest above it', async () => {
    expect(await by('example.com')).toEqual(BOTH);
    expect(await by('news.example.com')).toEqual(['pass rsa-sha256 n.news.example.com']);
    expect(await by('spring.news.example.com')).toEqual(['pass rsa-sha256 n.news.example.com']);
    expect(await by('shop.example.com')).toEqual(BOTH);
  });

  it('is that of the sender alone where alignment is strict', async () => {
    expect(await signed(MAIL, { keys, alignment: 'strict' }, 'shop.example.com')).toEqual(Buffer.from(MAIL));
    expect(await by('news.example.com', { alignment: 'strict' })).toEqual(['pass rsa-sha256 n.news.example.com']);
  });

  it('is never another one', async () => {
    for (const other of ['example.org', 'badexample.com', 'com'])
      expect(await signed(MAIL, {}, other)).toEqual(Buffer.from(MAIL));
    await expect(signed(MAIL, { required: true }, 'badexample.com')).rejects.toMatchObject({
      code: 'DKIM_KEY_MISSING',
    });
  });
});

describe('rotation', () => {
  const old = { domain: 'example.com', selector: 'old', privateKey: RSA };
  const fresh = { domain: 'example.com', selector: 'new', privateKey: OTHER_RSA };
  const zone = { 'old._domainkey.example.com': recordOf(RSA), 'new._domainkey.example.com': recordOf(OTHER_RSA) };

  it('signs with the first key, while mail that the other signed still verifies', async () => {
    const before = await signed(MAIL, { keys: [old] });
    const after = await signed(MAIL, { keys: [fresh, old] });
    expect(await verdicts(before, zone)).toEqual(['pass rsa-sha256 old.example.com']);
    expect(await verdicts(after, zone)).toEqual(['pass rsa-sha256 new.example.com']);
  });
});
