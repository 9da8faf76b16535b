/** Longest reply that is read, characters; a server that says more is not listened to. */
const MAX_LENGTH = 65_536;
const LINE = /^\d{3}(?:[ -]|$)/;

/**
 * Reads replies out of what a server sends (RFC 5321 section 4.2.1). The lines of a reply are joined by LF. Answers a
 * function that takes chunks.
 *
 * @param onFault - called once, when what comes is no reply; nothing is read after that.
 */
export function createReplyReader(
  onReply: (reply: string) => void,
  onFault: (problem: string) => void,
): (chunk: string) => void {
  let rest = '';
  let reply = '';
  let broken = false;

  function fault(problem: string): void {
    broken = true;
    onFault(problem);
  }

  function readLine(line: string): void {
    if (!LINE.test(line)) {
      fault(`the server did not answer as SMTP servers do: ${line}`);
      return;
    }
    reply = reply === '' ? line : `${reply}\n${line}`;
    if (reply.length > MAX_LENGTH) {
      fault('the server answers without end');
      return;
    }
    if (line[3] === '-') return;
    const whole = reply;
    reply = '';
    onReply(whole);
  }

  return (chunk) => {
    if (broken) return;
    rest += chunk;
    let start = 0;
    for (let end = rest.indexOf('\n'); end >= 0 && !broken; end = rest.indexOf('\n', start)) {
      const line = rest.slice(start, rest[end - 1] === '\r' ? end - 1 : end);
      start = end + 1;
      if (line !== '') readLine(line);
    }
    rest = rest.slice(start);
    if (!broken && rest.length > MAX_LENGTH) fault('the server answers without end');
  };
}
