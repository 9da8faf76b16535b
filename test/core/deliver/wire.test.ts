import { Transform } from 'node:stream';
import fc from 'fast-check';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { describe, expect, it } from 'vitest';
import { dotStuffed, readyMail } from '../../../packages/core/src/deliver/wire.ts';

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
        const { mail: read, rest } = received(dotStuffed(Buffer.from(mail)));
        expect(read).toBe(mail.endsWith('\r\n') ? mail : `${mail}\r\n`);
        expect(rest).toBe('');
      }),
      { numRuns: 500 },
    );
  });

  it('goes out in one piece through the transform that nodemailer has for it', () => {
    // Made as SMTPConnection makes it; fails where a new version has something else there.
    const make = (SMTPConnection.prototype as unknown as { _createSendStream: () => Transform })._createSendStream;
    const pieces: Buffer[] = [];
    const socket = new Transform({ transform: (chunk, _, done) => done(null, void pieces.push(chunk)) });
    const stream = make.call({
      _envelope: {},
      options: {},
      _responseActions: [],
      _socket: socket,
      logger: { info() {} },
    });
    let begun = 0;
    readyMail(Buffer.from('A: b\r\n\r\n.\r\nbody'), () => {
      begun += 1;
    }).pipe(stream);
    stream.resume();
    return new Promise<void>((resolve) => stream.once('end', resolve)).then(() => {
      expect(begun).toBe(1);
      expect(pieces.map(String)).toEqual(['A: b\r\n\r\n..\r\nbody\r\n.\r\n']);
    });
  });
});
