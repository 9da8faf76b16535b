import { Readable, Transform } from 'node:stream';

const DOT = 0x2e;
const END = Buffer.from('\r\n.\r\n');

/**
 * The bytes of a mail as they go over the wire after DATA (RFC 5321 section 4.5.2): dots at the start of lines are
 * doubled, and a line with one dot ends it. Line ends have to be CRLF already, which composing sees to.
 */
export function dotStuffed(raw: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let start = 0;
  if (raw[0] === DOT) pieces.push(raw.subarray(0, 1));
  for (let at = raw.indexOf('\n.'); at >= 0; at = raw.indexOf('\n.', at + 1)) {
    pieces.push(raw.subarray(start, at + 2));
    start = at + 1;
  }
  const ended = raw.length >= 2 && raw[raw.length - 2] === 13 && raw[raw.length - 1] === 10;
  pieces.push(raw.subarray(start), ended ? END.subarray(2) : END);
  return Buffer.concat(pieces);
}

/**
 * A mail as nodemailer's `SMTPConnection` takes it. Once the server has said 354 it asks the mail to pipe itself into a
 * transform that would look at each byte; the bytes here are ready, so they go out of that transform as they are, in one
 * piece. `onData` says that they begin to go out: from then on the fate of the mail is the server's.
 */
export function readyMail(raw: Buffer, onData: () => void): Readable {
  const mail = new Readable({
    read() {
      onData();
      this.push(raw);
      this.push(null);
    },
  });
  const pipe = mail.pipe.bind(mail);
  mail.pipe = ((stream: NodeJS.WritableStream) => {
    // Anything else than the transform that is known gets the mail in the ordinary way.
    if (!(stream instanceof Transform) || stream.constructor.name !== 'DataStream') return pipe(stream);
    onData();
    stream.push(dotStuffed(raw));
    stream.push(null);
    return stream;
  }) as typeof mail.pipe;
  return mail;
}
