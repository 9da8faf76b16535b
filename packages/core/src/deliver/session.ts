import { isIPv4, isIPv6 } from 'node:net';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { SmtpOptions } from './port.ts';
import { readyMail } from './wire.ts';

/** An error of nodemailer. */
export interface SmtpError extends Error {
  readonly code?: string;
  readonly response?: string;
  readonly responseCode?: number;
  readonly command?: string;
}

/** Why a session failed, and how far it was. */
export interface SmtpFailure {
  readonly error: SmtpError;
  readonly step: string;
  /** The message had begun to go out: nobody knows whether it was taken. */
  readonly afterData: boolean;
  /** The session was ready for mail. */
  readonly connected: boolean;
}

/** One connection to a server. Rejections are {@link SmtpFailure}s. */
export interface Session {
  connect(): Promise<string>;
  send(envelope: { from: string; to: string; use8BitMime: boolean; smtpUtf8: boolean }, raw: Buffer): Promise<string>;
  sent(): number;
  ended(): boolean;
  secure(): boolean;
  close(): void;
}

/** A reply that takes a mail, in full: what was cut off, or is no reply, says nothing. */
const TAKEN = /^2\d\d(?:[ -]|$)/;

const CONNECTION_MS = 30_000;
const SOCKET_MS = 120_000;

/** A session that is not connected yet. */
export function createSession(options: SmtpOptions): Session {
  const { auth } = options;
  const secure = options.secure ?? false;
  const connection = new SMTPConnection({
    host: options.host,
    port: options.port ?? (secure ? 465 : auth === undefined ? 25 : 587),
    secure,
    // A password is never sent in the clear, but to this machine.
    requireTLS: options.requireTls ?? (auth !== undefined && !secure && !isLoopback(options.host)),
    ignoreTLS: options.ignoreTls ?? false,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(auth?.method === undefined ? {} : { authMethod: auth.method }),
    connectionTimeout: options.connectionTimeoutMs ?? CONNECTION_MS,
    greetingTimeout: options.greetingTimeoutMs ?? CONNECTION_MS,
    socketTimeout: options.socketTimeoutMs ?? SOCKET_MS,
    socketCloseTimeout: 1000,
  });
  let connected = false;
  let over = false;
  let afterData = false;
  let mails = 0;
  let fail: ((failure: SmtpFailure) => void) | undefined;

  function failed(error: SmtpError): void {
    over = true;
    fail?.({ error, step: error.command ?? 'CONN', afterData, connected });
  }
  connection.on('error', failed);
  connection.on('end', () => failed(new Error('the server closed the connection')));

  /** Runs one step; whatever ends the connection meanwhile rejects it. */
  function step<T>(run: (resolve: (value: T) => void, reject: (error: SmtpError) => void) => void): Promise<T> {
    return new Promise<T>((resolve, rejectPromise) => {
      fail = rejectPromise;
      if (over) failed(new Error('the connection is closed'));
      else
        run(resolve, (error) =>
          rejectPromise({
            error,
            step: error.command ?? 'CONN',
            afterData: afterData && error.responseCode === undefined,
            connected,
          }),
        );
    }).finally(() => {
      fail = undefined;
    });
  }

  return {
    async connect() {
      await step<void>((resolve, reject) =>
        connection.connect((error) => (error ? reject(error as SmtpError) : resolve())),
      );
      if (auth !== undefined) {
        const credentials = { user: auth.user, pass: auth.pass };
        await step<void>((resolve, reject) =>
          connection.login({ credentials }, (error) => (error ? reject(error as SmtpError) : resolve())),
        );
      }
      connected = true;
      return 'connected';
    },
    send(envelope, raw) {
      afterData = false;
      const body = readyMail(raw, () => {
        afterData = true;
      });
      mails += 1;
      return step<string>((resolve, reject) =>
        connection.send(envelope, body, (error, info) => {
          if (error) {
            // A refused envelope leaves the transaction open; a fresh connection is simpler than RSET and as safe.
            if (!afterData) over = true;
            reject(error as SmtpError);
          } else if (TAKEN.test(info?.response ?? '')) {
            resolve(info?.response ?? '');
          } else {
            over = true;
            reject(new Error(`the server answered ${JSON.stringify(info?.response ?? '')}`));
          }
        }),
      );
    },
    sent: () => mails,
    ended: () => over,
    secure: () => connection.secure === true,
    close() {
      over = true;
      connection.quit();
      setTimeout(() => connection.close(), 1000).unref();
    },
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || (isIPv4(host) && host.startsWith('127.')) || (isIPv6(host) && host === '::1');
}
