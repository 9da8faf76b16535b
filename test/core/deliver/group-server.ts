import type { Socket } from 'node:net';
import { rawServer } from '../../support/smtp.ts';

/** Answers of a server: to a message, and to the envelope of a mail. */
interface Answers {
  message?(index: number, socket: Socket): string | undefined;
  recipient?(index: number): string | undefined;
  /** How long a message takes, ms. @default 20 */
  messageMs?(index: number): number;
}

/**
 * A server that takes groups of commands, and answers to messages after a while. It says for each mail whether its envelope
 * came before the message that was sent before had its answer.
 */
export async function groupServer({ message, recipient, messageMs = () => 20 }: Answers = {}) {
  const taken: number[] = [];
  const ahead: number[] = [];
  let opened = 0;
  /** Messages without an answer, and how many there ever were as a connection was opened. */
  let unanswered = 0;
  let beside = 0;
  const server = await rawServer((socket, line) => {
    const state = (states.get(socket) ?? begin(socket)) as State;
    if (line === undefined) return;
    const answer = (text: string, ms = 0): void => {
      state.answers = state.answers.then(async () => {
        if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
        if (socket.writable) socket.write(`${text}\r\n`);
      });
    };
    if (state.inData) {
      if (line !== '.') return;
      state.inData = false;
      const own = message?.(state.mail, socket);
      if (own === undefined) taken.push(state.mail);
      state.open += 1;
      unanswered += 1;
      answer(own ?? '250 2.0.0 Ok', messageMs(state.mail));
      void state.answers.then(() => {
        state.open -= 1;
        unanswered -= 1;
        // Who complains hears no more of what came with it.
        if (own?.startsWith('554')) socket.end();
      });
      return;
    }
    const to = /^RCPT TO:<\D*(\d+)@/.exec(line)?.[1];
    if (to !== undefined) {
      state.mail = Number(to);
      if (state.open > 0) ahead.push(state.mail);
      const own = recipient?.(state.mail);
      state.refused = own !== undefined;
      return answer(own ?? '250 Ok');
    }
    if (line === 'DATA') {
      state.inData = !state.refused;
      return answer(state.refused ? '503 5.5.1 no recipients' : '354 go');
    }
    if (line.startsWith('EHLO')) return answer('250-here\r\n250 PIPELINING');
    answer(line === 'QUIT' ? '221 bye' : '250 Ok');
  });
  const states = new WeakMap<Socket, State>();
  function begin(socket: Socket): State {
    opened += 1;
    beside += unanswered;
    const state = { inData: false, refused: false, mail: -1, open: 0, answers: Promise.resolve() };
    states.set(socket, state);
    socket.setNoDelay(true);
    socket.write('220 here\r\n');
    return state;
  }
  return { ...server, taken, ahead, opened: () => opened, beside: () => beside };
}

interface State {
  inData: boolean;
  refused: boolean;
  mail: number;
  /** Messages without an answer. */
  open: number;
  answers: Promise<void>;
}
