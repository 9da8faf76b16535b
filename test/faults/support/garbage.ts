import type { Socket } from 'node:net';

const GARBAGE: readonly (Buffer | string)[] = [
  Buffer.from([0, 1, 2, 255, 254, 13, 10]),
  'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n',
  '999 what\r\n',
  '25\r\n',
  '\r\n\r\n\r\n',
  `${'x'.repeat(20_000)}\r\n`,
  '354 go on\r\n',
  '2',
];
/** Greeting, EHLO, MAIL, RCPT, DATA, the message. */
const STEPS = 6;
/** So many conversations have each piece of garbage at each step. */
export const PAIRS = STEPS * GARBAGE.length;
/** Mails of a conversation: some garbage is taken for an answer, and the next mail is to hear other garbage. */
const MAILS = { garbage: 1, plain: 3 };
let conversations = 0;
/** Conversations with garbage that are open. */
let open = 0;
let turn = 0;

/**
 * A conversation that begins like SMTP, and at one of its steps becomes something else. No mail is ever taken.
 *
 * @param onSaid - told the pair of garbage and step as it is said; each has a name of its own
 */
export function speakGarbage(socket: Socket, onSaid: (pair: string) => void): void {
  // A route that hears nothing else rests: all conversations but one, and every other one, only refuse mails for now.
  const plain = open > 0 || conversations++ % 2 === 1;
  if (!plain) {
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
  }
  const at = turn % STEPS;
  // Both go on with each turn, so that no server is broken in one way for long; after half of the pairs the other half follows.
  const kind = (turn + Math.floor((2 * turn) / PAIRS)) % GARBAGE.length;
  const garbage = GARBAGE[kind] as string;
  const ends = (at + Math.floor(turn / PAIRS)) % 2 === 1;
  if (!plain) turn += 1;
  let mails = plain ? MAILS.plain : MAILS.garbage;
  let step = 0;
  const say = (reply: string): void => {
    const wrong = step++ === at && !plain;
    socket.write(wrong ? garbage : `${reply}\r\n`);
    if (wrong) onSaid(`${kind} at ${at}`);
    if (wrong && ends) socket.end();
  };
  say('220 here ESMTP');
  let rest = '';
  let inData = false;
  socket.on('data', (chunk) => {
    rest += chunk.toString('latin1');
    const lines = rest.split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (inData && line !== '.') continue;
      if (line === 'DATA') say('354 go on');
      else say(line === '.' ? '451 4.3.0 not taken' : '250 Ok');
      inData = line === 'DATA';
      if (line === '.' && --mails === 0) socket.end();
    }
  });
}
