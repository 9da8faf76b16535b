import { oneLine } from './failure.ts';

/** Takes one step of a session: its name, what the server said, and how long it took, ms. */
export type StepSink = (step: string, reply: string, ms: number) => void;

/** A logger for nodemailer's `SMTPConnection` that hears the session. */
export interface SessionLog {
  readonly logger: { readonly debug: Log; readonly info: Log; readonly warn: Log; readonly error: Log };
  /** EHLO keywords of the last answer to EHLO, with their parameters. */
  extensions(): ReadonlyMap<string, string>;
}

type Log = (entry: { readonly tnx?: string }, message: string) => void;

/** Replies that ask for more of the same command (AUTH). */
const CONTINUE = '334';

/** Turns nodemailer's log of commands and replies into steps. Commands are heard by their first word alone: the rest may be a password. */
export function createSessionLog(onStep: StepSink): SessionLog {
  let step = 'CONN';
  let since = Date.now();
  let ehlo = '';

  function hear({ tnx }: { readonly tnx?: string }, message: string): void {
    if (tnx === 'client') {
      const word = /^(EHLO|HELO|STARTTLS|AUTH)\b/.exec(message)?.[1];
      if (word !== undefined) {
        step = word;
        since = Date.now();
      }
    } else if (tnx === 'server' && !message.startsWith(CONTINUE)) {
      const now = Date.now();
      if (step === 'EHLO') ehlo = message;
      onStep(step, oneLine(message), now - since);
      since = now;
    }
  }

  const ignore: Log = () => {};
  return {
    logger: { debug: hear, info: ignore, warn: ignore, error: ignore },
    extensions() {
      const lines = ehlo.split('\n').slice(1);
      return new Map(
        lines.map((line) => {
          const [keyword = '', ...parameters] = line.slice(4).trim().split(' ');
          return [keyword.toUpperCase(), parameters.join(' ')];
        }),
      );
    },
  };
}
