import { createHash, createPrivateKey, sign } from 'node:crypto';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyHash, relaxedField } from '../../../../packages/core/src/compose/dkim/canonical.ts';

const require = createRequire(import.meta.url);
/** The second implementation: that of mailauth. */
const { RelaxedHash } = require('mailauth/lib/dkim/body/relaxed.js') as {
  RelaxedHash: new (algorithm: string) => { update(chunk: Buffer): void; digest(encoding: 'base64'): string };
};
const { formatRelaxedLine } = require('mailauth/lib/tools.js') as { formatRelaxedLine(line: Buffer): Buffer };

const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('base64');

describe('the relaxed body', () => {
  it.each<[string, string, string]>([
    ['the example of RFC 6376 section 3.4.5', ' C \r\nD \t E\r\n\r\n\r\n', ' C\r\nD E\r\n'],
    ['nothing', '', ''],
    ['empty lines alone', '\r\n\r\n', ''],
    ['white space alone', ' \t\r\n \r\n', ''],
    ['no line end at the end', 'a', 'a\r\n'],
    ['white space at the end', 'a \t', 'a\r\n'],
    ['white space before the line end', 'a \r\nb\t\r\n', 'a\r\nb\r\n'],
    ['one tab', 'a\tb\r\n', 'a b\r\n'],
    ['empty lines between', 'a\r\n\r\n\r\nb\r\n\r\n', 'a\r\n\r\n\r\nb\r\n'],
    ['dots at the start of lines', '.\r\n..a\r\n', '.\r\n..a\r\n'],
    ['bytes over 127, of which one looks like a space', 'a\xa0\r\n', 'a\xa0\r\n'],
  ])('%s', (_, body, canonical) => {
    expect(bodyHash(Buffer.from(body, 'latin1'))).toBe(sha256(canonical));
  });

  it('agrees with mailauth on any bytes', () => {
    const white = fc.constantFrom(' ', '\t', '  ', '\r\n', '\r\n\r\n', ' \r\n', '.', 'a', 'é');
    const other = fc.uint8Array({ maxLength: 5 }).map((bytes) =>
      Buffer.from(bytes)
        .toString('latin1')
        .replace(/[\r\n]/g, ''),
    );
    const body = fc.array(fc.oneof(white, other), { maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(body, (text) => {
        const bytes = Buffer.from(text, 'latin1');
        const theirs = new RelaxedHash('sha256');
        theirs.update(bytes);
        expect(bodyHash(bytes)).toBe(theirs.digest('base64'));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the relaxed header field', () => {
  it.each([
    ['A: X', 'a:X'],
    ['B : Y\t\r\n\tZ  ', 'b:Y Z'],
    ['Subject:', 'subject:'],
    ['SUBJECT: \t a\r\n \r\n b', 'subject:a b'],
    ['X: a\xa0', 'x:a\xa0'],
  ])('%j', (field, canonical) => expect(relaxedField(field)).toBe(canonical));

  it('agrees with mailauth on any bytes', () => {
    const piece = fc.oneof(
      fc.constantFrom(' ', '\t', '\r\n ', '\r\n\t', ':', 'a', '\xa0', '\x0b'),
      fc.uint8Array({ maxLength: 4 }).map((bytes) =>
        Buffer.from(bytes)
          .toString('latin1')
          .replace(/[\r\n]/g, ''),
      ),
    );
    const field = fc
      .array(piece, { maxLength: 30 })
      .map((parts) => `X-Thing ${parts.length % 2 ? '' : '\t'}:${parts.join('')}`);
    fc.assert(
      fc.property(field, (text) => {
        expect(relaxedField(text)).toBe(formatRelaxedLine(Buffer.from(text, 'latin1')).toString('latin1'));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the example of RFC 8463 appendix A', () => {
  const body = 'Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n';
  const header = [
    'From: Joe SixPack <joe@football.example.com>',
    'To: Suzie Q <suzie@shopping.example.net>',
    'Subject: Is dinner ready?',
    'Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)',
    'Message-ID: <20030712040037.46341.5F8J@football.example.com>',
  ];
  const signature = `DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r
 d=football.example.com; i=@football.example.com;\r
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r
 subject : date : message-id : from : subject : date;\r
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r
 b=`;

  it('has its body hash', () => {
    expect(bodyHash(Buffer.from(body))).toBe('2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=');
  });

  it('has its Ed25519 signature', () => {
    const privateKey = createPrivateKey({
      format: 'jwk',
      key: {
        kty: 'OKP',
        crv: 'Ed25519',
        d: Buffer.from('nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=', 'base64').toString('base64url'),
        x: Buffer.from('11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=', 'base64').toString('base64url'),
      },
    });
    const data = [...header, signature].map(relaxedField).join('\r\n');
    const hash = createHash('sha256').update(data, 'latin1').digest();
    expect(sign(null, hash, privateKey).toString('base64')).toBe(
      '/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==',
    );
  });
});

describe('the examples of RFC 6376', () => {
  it('section 3.4.5: header and body in their relaxed forms', () => {
    expect(relaxedField('A: X')).toBe('a:X');
    expect(relaxedField('B : Y\t\r\n\tZ  ')).toBe('b:Y Z');
    const relaxed = ' C\r\nD E\r\n';
    const hash = createHash('sha256').update(relaxed).digest('base64');
    expect(bodyHash(Buffer.from(' C \r\nD \t E\r\n\r\n\r\n'))).toBe(hash);
  });

  it('section 3.4.4: the hash of an empty body, however many empty lines it has', () => {
    for (const body of ['', '\r\n', '\r\n\r\n', ' \r\n\t\r\n'])
      expect(bodyHash(Buffer.from(body))).toBe('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');
  });

  it('appendix A: the body hash of the signed message', () => {
    const body = 'Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n';
    expect(bodyHash(Buffer.from(body))).toBe('2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=');
  });
});
