import { describe, expect, it } from 'vitest';
import { parseBounceMail } from '../../../packages/core/src/feedback/mail/parse.ts';
import * as SIGNS from '../../../packages/core/src/feedback/mail/signs.ts';
import { isMailRelayError } from '../../../packages/core/src/index.ts';
import { judge, VAGUE_RULES, WORD_RULES } from '../../../packages/core/src/reasons/judge.ts';
import { onCpu } from '../../support/cpu.ts';
import { relayWith } from '../../support/relay.ts';
import { corpus } from './corpus.ts';

/** Most CPU time that any mail may take, ms; a tenth of it on a machine of today. */
const SLOWEST_MS = 3000;

function timed(raw: string | Uint8Array): ReturnType<typeof parseBounceMail> {
  const source = typeof raw === 'string' ? Buffer.from(raw, 'latin1') : raw;
  const { value: report, ms } = onCpu(() => parseBounceMail(source));
  expect(ms).toBeLessThan(SLOWEST_MS);
  for (const { recipient, raw: kept = '' } of report.findings) {
    expect((recipient ?? '').length).toBeLessThanOrEqual(320);
    expect(kept.length).toBeLessThan(1_000_000);
  }
  return report;
}

/** Numbers that follow from a seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
}

/** CPU time that an expression takes for a text once it is compiled, ms. */
function quickest(match: RegExp, text: string): number {
  return Math.min(...[0, 1].map(() => onCpu(() => match.test(text)).ms));
}

const MB = 1_048_576;
const HEAD = 'From: MAILER-DAEMON@x.example\nSubject: Undelivered Mail\n';
const multipart = (boundary: string): string => `Content-Type: multipart/mixed; boundary="${boundary}"\n\n`;

const BOMBS: readonly [string, () => string][] = [
  [
    'parts within parts',
    () => HEAD + Array.from({ length: 20_000 }, (_, n) => `${multipart(`b${n}`)}--b${n}\n`).join(''),
  ],
  ['mails within mails', () => HEAD + 'Content-Type: message/rfc822\n\n'.repeat(60_000)],
  ['the same boundary all along', () => `${HEAD}${multipart('b')}${'--b\n\n'.repeat(300_000)}`],
  ['a boundary that never comes', () => `${HEAD}${multipart('zz')}${'--z\n'.repeat(500_000)}`],
  ['an empty boundary', () => `${HEAD}${multipart('')}${'--\n'.repeat(500_000)}`],
  ['a header without end', () => `${HEAD}X: ${'a'.repeat(2 * MB)}`],
  ['many header fields', () => `${HEAD}${'X-A: b\n'.repeat(250_000)}\nbody`],
  ['a folded header without end', () => `${HEAD}X: ${'\n a'.repeat(600_000)}`],
  [
    'many recipients',
    () =>
      `${HEAD}Content-Type: message/delivery-status\n\n${'Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\n\n'.repeat(20_000)}`,
  ],
  [
    'many different addresses',
    () => `${HEAD}\n${Array.from({ length: 40_000 }, (_, n) => `<a${n}@b.example>: 550 no`).join('\n')}`,
  ],
  [
    'an address without end',
    () => `${HEAD}\ncould not be delivered to ${'a'.repeat(MB)}@${'b.'.repeat(MB / 4)}example`,
  ],
  ['at signs only', () => `${HEAD}\n${'@'.repeat(2 * MB)}`],
  ['angle brackets only', () => `${HEAD}Content-Type: text/html\n\n${'<'.repeat(2 * MB)}`],
  ['tags that do not end', () => `${HEAD}Content-Type: text/html\n\n${'<style '.repeat(200_000)}`],
  ['encoded words', () => `${HEAD}Subject: ${'=?utf-8?q?'.repeat(100_000)}\n\n`],
  ['soft line breaks', () => `${HEAD}Content-Transfer-Encoding: quoted-printable\n\n${'=\n'.repeat(MB)}`],
  ['spaces', () => `${HEAD}\n${' '.repeat(2 * MB)}x`],
  ['empty lines', () => `${HEAD}\n${'\n'.repeat(2 * MB)}`],
  ['blanks between line ends', () => `${HEAD}\nundeliverable\n${' \t\n'.repeat(600_000)}`],
  [
    'words that rules begin with',
    () => `${HEAD}\ncould not deliver: ${'message mail user mailbox host '.repeat(60_000)}`,
  ],
  ['links that look like tokens', () => `${HEAD}\n${`/u/${'a'.repeat(2000)} `.repeat(1000)}`],
  ['bounce tokens', () => `${HEAD}\n${'+aaaaaaaaaaaaaaaaaaaa@'.repeat(90_000)}`],
  ['line ends of all kinds', () => `${HEAD}\n${'\r\r\n\n\r'.repeat(400_000)}`],
  ['base64', () => `${HEAD}Content-Transfer-Encoding: base64\n\n${'QUJD'.repeat(500_000)}`],
  [
    'names on lines of their own',
    () => `From: x@aol.com\nSubject: Undelivered Mail\n\nnot delivered:\n${'\tabcdefg \n'.repeat(200_000)}`,
  ],
  [
    'lines that begin like names',
    () => `From: x@aol.com\nSubject: Undelivered Mail\n\n${` ${'a'.repeat(40)}`.repeat(50_000)}`,
  ],
  ['repeated headers', () => `${HEAD}\n${'Subject: mail scanned To: a@b.example '.repeat(50_000)}`],
  [
    'parameters on lines of their own',
    () => `${HEAD}Content-Type: multipart/mixed;${'\nboundary=;'.repeat(200_000)}\n\n`,
  ],
  [
    'reports within reports',
    () =>
      `${HEAD}${'Content-Type: multipart/report; boundary="b"\n\n--b\nContent-Type: message/rfc822\n\n'.repeat(20_000)}`,
  ],
  ['dashes', () => `${HEAD}\n${'-'.repeat(2 * MB)}`],
];

describe('whatever comes back', () => {
  it.each(BOMBS)('is read in bounded time: %s', (_, make) => {
    const raw = make();
    timed(raw);
    timed(raw.replaceAll('\n', '\r\n'));
  });

  it('does not keep more than it reads, however large it is', () => {
    const large = Buffer.alloc(64 * MB, 'x');
    const before = process.memoryUsage();
    timed(large);
    const after = process.memoryUsage();
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(64 * MB);
  });

  it('never throws: mails that were cut, and bytes that were changed, left out and swapped', () => {
    const next = random(20_250_106);
    const mails = corpus();
    for (let round = 0; round < 1500; round++) {
      const bytes = Buffer.from(mails[next(mails.length)]?.raw ?? '');
      for (let change = next(12); change >= 0; change--) bytes[next(bytes.length)] = next(256);
      const other = Buffer.from(mails[next(mails.length)]?.raw ?? '');
      const cut = next(bytes.length + 1);
      const kinds = [
        bytes,
        bytes.subarray(0, cut),
        bytes.subarray(cut),
        Buffer.concat([bytes.subarray(0, cut), other.subarray(next(other.length))]),
      ];
      timed(kinds[next(kinds.length)] as Buffer);
    }
  });

  it('never throws: bytes at random', () => {
    const next = random(7);
    for (let round = 0; round < 200; round++) timed(Buffer.from(Array.from({ length: next(3000) }, () => next(256))));
  });

  it('takes no rule long', () => {
    const next = random(3);
    const words = [
      'message',
      'mail',
      'user',
      'mailbox',
      'host',
      'domain',
      'sender',
      'content',
      'is',
      'not',
      'the',
      'your',
      'ip',
      'from',
      'to',
      'account',
      'has',
      'been',
    ];
    for (let round = 0; round < 50; round++) {
      const text = Array.from({ length: 1000 }, () => words[next(words.length)]).join(next(2) === 0 ? ' ' : '  ');
      expect(onCpu(() => judge({ text })).ms).toBeLessThan(SLOWEST_MS / 3);
    }
  });

  it('takes four times as long for four times the text, by every rule and sign', () => {
    const signs = Object.entries(SIGNS).flatMap(([name, sign]) =>
      sign instanceof RegExp ? [{ name, match: sign }] : [],
    );
    for (const { name, match } of [...WORD_RULES, ...VAGUE_RULES, ...signs]) {
      const words = match.source.replace(/\\[a-z]/g, ' ').match(/[\p{L}\d'@]{3,}/gu) ?? [];
      for (const unit of new Set(words.flatMap((word) => [word, `${word} `]))) {
        // What takes the square of its length takes sixteen times as long, each time.
        const isSlow = (): boolean => {
          const long = quickest(match, unit.repeat(8000 / unit.length));
          return long > 2 && long > 10 * quickest(match, unit.repeat(2000 / unit.length));
        };
        expect({ name, unit, isSlow: isSlow() && isSlow() && isSlow() }).toEqual({ name, unit, isSlow: false });
      }
    }
  });

  it('is no error of receive() but a coded one', async () => {
    const relay = relayWith({ thread: false });
    const next = random(11);
    for (let round = 0; round < 100; round++) {
      const raw = Buffer.from(Array.from({ length: next(500) }, () => next(256)));
      await relay.feedback.receive(next(2) === 0 ? raw : raw.toString('latin1')).catch((error: unknown) => {
        expect(isMailRelayError(error)).toBe(true);
      });
    }
  });
});
