import { describe, expect, it } from 'vitest';
import { parseBounceMail } from '../../../packages/core/src/feedback/mail/parse.ts';
import { corpus } from './corpus.ts';

function read(raw: Uint8Array, expected: readonly string[]): { kind: string; found: string[] } {
  const { kind, findings } = parseBounceMail(raw);
  const found = findings.map(({ type, judged, recipient }, index) => {
    const [, wantedKind, wantedReason] = (expected[index] ?? '').split(' ');
    const hardness = type === 'deferred' ? 'soft' : judged?.kind;
    return [
      type,
      wantedKind === '-' ? '-' : hardness,
      wantedReason === '-' ? '-' : judged?.reason,
      recipient ?? '-',
    ].join(' ');
  });
  return { kind, found };
}

describe('mails that came back', () => {
  const mails = corpus();

  it('are many', () => {
    expect(mails.length).toBeGreaterThan(80);
    expect(new Set(mails.map(({ name }) => name)).size).toBe(mails.length);
  });

  for (const { name, kind, expected, raw } of mails) {
    it(`are read: ${name}`, () => {
      expect(read(Buffer.from(raw), expected)).toEqual({ kind, found: expected });
    });
  }

  it.each([
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('are read with %s line ends', (_, end) => {
    for (const { name, kind, expected, raw } of mails)
      expect({ name, ...read(Buffer.from(raw.replaceAll('\n', end)), expected) }).toEqual({
        name,
        kind,
        found: expected,
      });
  });
});
