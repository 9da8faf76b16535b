import type { Socket } from 'node:net';
import type { TranscriptStep } from '../../events.ts';
import type { AuthOptions, SmtpOptions, Verification } from '../port.ts';
import { openConnection } from './connect.ts';
import { oneLine, outcomeOf, SmtpFailure } from './failure.ts';
import type { StepSink } from './session-log.ts';

/** Longest wait for the answer to QUIT, ms; a server that says nothing is ready for mail all the same. */
const QUIT_MS = 2000;

/** A session without a mail: greeting, EHLO, STARTTLS, AUTH and QUIT (RFC 5321 section 3.1). */
export async function verifySmtp(options: SmtpOptions, socketMs: number): Promise<Verification> {
  const hide = hider(options.auth);
  const steps: TranscriptStep[] = [];
  const onStep: StepSink = (step, reply, ms) => void steps.push({ step, reply: hide(oneLine(reply)), ms });
  try {
    const { socket, secure } = await openConnection(options, socketMs, onStep);
    await quit(socket, onStep);
    return { ok: true, tls: secure, steps };
  } catch (error) {
    const failure =
      error instanceof SmtpFailure
        ? error
        : new SmtpFailure(error as Error, { step: 'CONN', afterData: false, connected: false });
    const outcome = outcomeOf(failure);
    const reason = outcome.type === 'sent' ? 'unknown' : outcome.reason;
    return { ok: false, steps, failure: { step: stepOf(failure, steps), reply: hide(outcome.reply), reason } };
  }
}

/** nodemailer names the command that failed, or the library's own step (`API`). */
function stepOf({ error, step }: SmtpFailure, steps: readonly TranscriptStep[]): string {
  if (error.code === 'EAUTH' || step.startsWith('AUTH')) return 'AUTH';
  if (error.code === 'ETLS' || step === 'STARTTLS') return 'STARTTLS';
  // The server had said yes to it: what ended the connection then is TLS.
  if (step === 'CONN' && steps.at(-1)?.step === 'STARTTLS') return 'STARTTLS';
  return ['EHLO', 'HELO', 'CONN'].includes(step) ? step : (steps.at(-1)?.step ?? 'CONN');
}

function quit(socket: Socket, onStep: StepSink): Promise<void> {
  const since = Date.now();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    };
    const timer = setTimeout(end, QUIT_MS);
    socket.on('error', end);
    socket.on('close', end);
    socket.once('data', (chunk: Buffer) => {
      onStep('QUIT', chunk.toString(), Date.now() - since);
      end();
    });
    socket.write('QUIT\r\n');
  });
}

/** A server may say again what it was told: the credentials, as they are and as AUTH writes them. */
function hider(auth: AuthOptions | undefined): (text: string) => string {
  if (auth === undefined) return (text) => text;
  const { user, pass } = auth;
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const secrets = [base64(`\0${user}\0${pass}`), pass, base64(pass)];
  return (text) => secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
}
