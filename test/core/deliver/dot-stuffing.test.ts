import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dotStuffed } from '../../../packages/core/src/deliver/smtp/dot-stuffing.ts';

/** What a server makes of the bytes after DATA: the mail, and what is left behind it. */
function received(wire: Buffer): { mail: string; rest: string } {
  const text = wire.toString('latin1');
  const end = text.startsWith('.\r\n') ? -2 : text.indexOf('\r\n.\r\n');
  const mail = text.slice(0, end + 2).replace(/^\.\./gm, '.');
  return { mail, rest: text.slice(end + 5) };
}

describe('a mail on the wire', () => {
  it('is for the server what it was before, whatever lines it has', () => {
    const line = fc.string({ unit: fc.constantFrom('.', 'a', ' ', '\t'), maxLength: 4 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.boolean(), (lines, ended) => {
        const mail = lines.join('\r\n') + (ended ? '\r\n' : '');
        const { mail: read, rest } = received(Buffer.concat(dotStuffed(Buffer.from(mail))));
        expect(read).toBe(mail.endsWith('\r\n') ? mail : `${mail}\r\n`);
        expect(rest).toBe('');
      }),
      { numRuns: 500 },
    );
  });
});
