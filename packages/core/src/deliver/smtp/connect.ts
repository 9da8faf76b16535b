import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { SmtpOptions } from '../port.ts';
import { isLoopback } from './encryption.ts';
import { type SmtpError, SmtpFailure, smtpError } from './failure.ts';
import { createSessionLog, type StepSink } from './session-log.ts';

/** A connection that is ready for mail: greeted, encrypted and logged in, as its options ask. */
export interface OpenConnection {
  readonly socket: Socket;
  readonly secure: boolean;
  /** Version of TLS, such as `TLSv1.3`; undefined in the clear. */
  readonly tlsVersion: string | undefined;
  /** The certificate is trusted, and of this host. */
  readonly verified: boolean;
  /** What the server offers (EHLO keywords), in upper case, with their parameters. */
  readonly extensions: ReadonlyMap<string, string>;
}

/** How to open a connection. */
interface ConnectionOptions extends SmtpOptions {
  /** Connected already, for whoever chooses addresses itself. */
  readonly socket?: Socket | undefined;
}

const CONNECTION_MS = 30_000;
/** EHLO, STARTTLS, EHLO and AUTH: a server that keeps talking, and comes to no end, is not waited for longer. */
const REPLIES = 5;

/**
 * Opens a connection with nodemailer's `SMTPConnection`, which knows TLS and AUTH, and takes its socket over once mail can
 * be sent.
 *
 * @param onStep - called with each step of the session and what the server said.
 * @throws SmtpFailure
 */
export async function openConnection(
  options: ConnectionOptions,
  socketMs: number,
  onStep: StepSink,
): Promise<OpenConnection> {
  const { auth, connectionTimeoutMs = CONNECTION_MS } = options;
  const secure = options.secure ?? false;
  const log = createSessionLog(onStep);
  const connection = new SMTPConnection({
    host: options.host,
    port: options.port ?? (secure ? 465 : auth === undefined ? 25 : 587),
    secure,
    // A password is not sent in the clear, but to this machine, or where the host says so.
    requireTLS: options.requireTls ?? (auth !== undefined && !secure && !isLoopback(options.host)),
    ignoreTLS: options.ignoreTls ?? false,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.socket === undefined ? {} : { connection: options.socket }),
    ...(auth?.method === undefined ? {} : { authMethod: auth.method }),
    connectionTimeout: connectionTimeoutMs,
    greetingTimeout: options.greetingTimeoutMs ?? CONNECTION_MS,
    socketTimeout: socketMs,
    socketCloseTimeout: 1000,
    logger: log.logger,
    transactionLog: true,
  });
  let fail: ((error: SmtpError) => void) | undefined;
  const onError = (error: SmtpError): void => fail?.(error);
  connection.on('error', onError);
  connection.on('end', () => onError(new Error('the server closed the connection')));

  /** Runs one step; whatever ends the connection meanwhile rejects it. */
  const step = (run: (done: (error?: SmtpError | null) => void) => void): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      fail = (error) =>
        reject(new SmtpFailure(error, { step: error.command ?? 'CONN', afterData: false, connected: false }));
      run((error) => (error ? fail?.(error) : resolve()));
    });

  const tooLong = (): void => fail?.(smtpError('the server did not get ready for mail in time', 'ETIMEDOUT'));
  const deadline = setTimeout(tooLong, connectionTimeoutMs + REPLIES * socketMs);
  try {
    await step((done) => connection.connect((error) => done(error as SmtpError)));
    if (auth !== undefined) {
      const credentials = { user: auth.user, pass: auth.pass };
      await step((done) => connection.login({ credentials }, (error) => done(error as SmtpError)));
    }
    const socket = takeSocket(connection);
    const tlsVersion = (socket instanceof TLSSocket ? socket.getProtocol() : undefined) ?? undefined;
    const verified = socket instanceof TLSSocket && socket.authorized;
    return { socket, secure: connection.secure === true, tlsVersion, verified, extensions: log.extensions() };
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}

const EVENTS = ['data', 'timeout', 'close', 'end', 'error'] as const;

/**
 * Takes the socket out of a connection, without the listeners that the connection has on it. nodemailer has no public way
 * to do this, and 70 % of the time of a mail goes into its own way of sending one.
 */
function takeSocket(connection: SMTPConnection): Socket {
  const { _socket: socket } = connection as unknown as { readonly _socket?: unknown };
  const own = new Set<unknown>(Object.values(connection));
  if (!(socket instanceof Socket))
    throw new Error('this version of nodemailer keeps its socket elsewhere; Mail Relay works with nodemailer 10');
  for (const event of EVENTS) {
    for (const listener of socket.listeners(event)) {
      if (own.has(listener)) socket.off(event, listener as () => void);
    }
  }
  return socket;
}
