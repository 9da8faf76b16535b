const DOT = 0x2e;
const END = Buffer.from('\r\n.\r\n');

/**
 * The bytes of a mail as they go over the wire after DATA (RFC 5321 section 4.5.2): dots at the start of lines are
 * doubled, and a line with one dot ends it. Line ends have to be CRLF already, which composing sees to. In pieces, so that
 * a mail without such lines, as most are, is not copied.
 */
export function dotStuffed(raw: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let start = 0;
  if (raw[0] === DOT) pieces.push(raw.subarray(0, 1));
  for (let at = raw.indexOf('\n.'); at >= 0; at = raw.indexOf('\n.', at + 1)) {
    pieces.push(raw.subarray(start, at + 2));
    start = at + 1;
  }
  const ended = raw.length >= 2 && raw[raw.length - 2] === 13 && raw[raw.length - 1] === 10;
  pieces.push(raw.subarray(start), ended ? END.subarray(2) : END);
  return pieces;
}
