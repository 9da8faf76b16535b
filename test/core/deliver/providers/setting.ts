import { localhostCertificate } from '../../../support/certificate.ts';
import { type Inbox, smtpServer } from '../../../support/smtp.ts';

export const certificate = localhostCertificate();
export type Server = { host: string; port: number; tls: { ca: string } };

/** What a provider reads out of a header, by its documentation. */
export const header = (source: string, name: string): string =>
  new RegExp(`^${name}: (.*(?:\\r\\n[ \\t].*)*)`, 'im').exec(source)?.[1]?.replace(/\r\n/g, '') ?? '';

export const json = (source: string, name: string): Record<string, unknown> => JSON.parse(header(source, name));

/** A server with TLS that takes mail for the password `secret`, and answers to a mail what the provider does. */
export async function server(reply = 'OK'): Promise<
  Inbox & {
    readonly users: string[];
    readonly options: Server;
    /** The recipients of each transaction. */
    readonly envelopes: string[][];
  }
> {
  const users: string[] = [];
  const envelopes: string[][] = [];
  const mails: Inbox['mails'] = [];
  const inbox = await smtpServer({
    ...certificate,
    authOptional: false,
    disabledCommands: [],
    onAuth({ username, password }, _session, done) {
      users.push(username ?? '');
      done(password === 'secret' ? null : new Error('no'), { user: username });
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        envelopes.push(session.envelope.rcptTo.map(({ address }) => address));
        mails.push({
          to: session.envelope.rcptTo[0]?.address ?? '',
          source: Buffer.concat(chunks).toString(),
          session,
        });
        done(null, reply);
      });
    },
  });
  return {
    ...inbox,
    mails,
    users,
    envelopes,
    options: { host: 'localhost', port: inbox.port, tls: { ca: certificate.cert } },
  };
}
