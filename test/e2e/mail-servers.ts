/**
 * Mail servers that others wrote: an instance of Postfix that listens as a smarthost (STARTTLS, AUTH) and as the MX of
 * receiver.test, with OpenDKIM that verifies what comes there. What Postfix takes it hands on to a server of the test.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { SMTPServer } from 'smtp-server';
import { localhostCertificate } from '../support/certificate.ts';
import { ED25519, RSA, recordOf, type Zone } from '../support/dkim.ts';
import { startPostfix } from '../support/postfix.ts';
import { findProgram, freePort, listening } from '../support/programs.ts';

/** Login at the smarthost. */
export const LOGIN = { user: 'app@sasl.test', pass: 'correct horse' } as const;
/** Longest message that Postfix takes, bytes. */
export const MOST_BYTES = 20_000;
/** Where the MX listens. */
export const MX_ADDRESS = '127.0.0.2';
/** Public keys of sender.test. */
export const DKIM_ZONE: Zone = {
  'r1._domainkey.sender.test': recordOf(RSA),
  'e1._domainkey.sender.test': recordOf(ED25519),
};

/** What Postfix handed on. */
export interface HandedOn {
  /** Envelope sender. */
  readonly from: string;
  readonly to: string;
  readonly source: string;
}

/** Servers that run. */
export interface MailServers {
  readonly smarthost: { readonly port: number; readonly ca: string };
  /** Port of the MX, at {@link MX_ADDRESS}. */
  readonly mxPort: number;
  readonly handedOn: HandedOn[];
  stop(): Promise<void>;
}

/** Which of the programs are not here, or why they cannot run; undefined where they can. */
export function whyNoMailServers(): string | undefined {
  const missing = ['postfix', 'opendkim', 'saslpasswd2'].filter((name) => findProgram(name) === undefined);
  if (missing.length > 0) return `${missing.join(', ')} not installed`;
  return process.getuid?.() === 0 ? undefined : 'Postfix starts as root only';
}

/** Starts all of them. */
export async function startMailServers(): Promise<MailServers> {
  const folder = mkdtempSync(`${tmpdir()}/mail-relay-postfix-`);
  const { cert, key } = localhostCertificate();
  writeFileSync(`${folder}/cert.pem`, cert);
  writeFileSync(`${folder}/key.pem`, key, { mode: 0o600 });
  writeLogin(`${folder}/config/sasl`);
  const handedOn: HandedOn[] = [];
  const next = await nextHop(handedOn);
  const ports = { smarthost: await freePort(), mx: await freePort(MX_ADDRESS), milter: await freePort() };
  const openDkim = await startOpenDkim(folder, ports.milter);
  const postfix = startPostfix({
    folder,
    listeners: [
      { address: '127.0.0.1', port: ports.smarthost, settings: SMARTHOST },
      { address: MX_ADDRESS, port: ports.mx, settings: { ...MX, smtpd_milters: `inet:127.0.0.1:${ports.milter}` } },
    ],
    settings: {
      myhostname: 'mx.receiver.test',
      mynetworks: '',
      message_size_limit: `${MOST_BYTES}`,
      relay_domains: 'receiver.test',
      relay_recipient_maps:
        'inline:{ { ada@receiver.test = ok } { bob@receiver.test = ok } { later@receiver.test = ok } }',
      relayhost: `[127.0.0.1]:${next.port}`,
      smtpd_tls_cert_file: `${folder}/cert.pem`,
      smtpd_tls_key_file: `${folder}/key.pem`,
      smtpd_tls_security_level: 'may',
      smtpd_recipient_restrictions: `check_recipient_access inline:{ ${RECIPIENTS.map((rule) => `{ ${rule} }`).join(' ')} }`,
    },
  });
  await Promise.all([listening(ports.smarthost), listening(ports.mx, MX_ADDRESS)]);
  return {
    smarthost: { port: ports.smarthost, ca: cert },
    mxPort: ports.mx,
    handedOn,
    async stop() {
      await postfix.stop();
      await openDkim.stop();
      await next.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const SMARTHOST = {
  smtpd_tls_auth_only: 'yes',
  smtpd_sasl_auth_enable: 'yes',
  smtpd_relay_restrictions: 'permit_sasl_authenticated reject',
};
const MX = { smtpd_relay_restrictions: 'reject_unauth_destination' };
const RECIPIENTS = [
  'later@receiver.test = 450 4.7.1 Greylisted, try again in 300 seconds',
  'full@elsewhere.test = 452 4.2.2 Mailbox full',
  'gone@elsewhere.test = 550 5.1.1 No such user here',
];

/** A login in the file of Cyrus SASL. Debian's Postfix looks for its settings in the folder `sasl` beside main.cf. */
function writeLogin(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const [user, realm] = LOGIN.user.split('@') as [string, string];
  const parameters = ['-p', '-c', '-f', `${folder}/sasldb2`, '-u', realm, user];
  execFileSync(findProgram('saslpasswd2') as string, parameters, { input: LOGIN.pass });
  execFileSync('chown', ['-R', 'postfix', folder]);
  const lines = ['pwcheck_method: auxprop', 'auxprop_plugin: sasldb', `sasldb_path: ${folder}/sasldb2`];
  writeFileSync(`${folder}/smtpd.conf`, [...lines, 'mech_list: PLAIN LOGIN CRAM-MD5', ''].join('\n'));
}

/** Verifies with keys out of a file, where others ask DNS. */
async function startOpenDkim(folder: string, port: number): Promise<{ stop(): Promise<void> }> {
  const keys = Object.entries(DKIM_ZONE).map(([name, record]) => `${name} ${record}\n`);
  writeFileSync(`${folder}/keys`, keys.join(''));
  const lines = ['Mode v', 'AuthservID mx.receiver.test', 'AlwaysAddARHeader yes', `TestPublicKeys ${folder}/keys`];
  writeFileSync(`${folder}/opendkim.conf`, `${lines.join('\n')}\n`);
  const parameters = ['-f', '-x', `${folder}/opendkim.conf`, '-u', 'opendkim', '-p', `inet:${port}@127.0.0.1`];
  const child = spawn(findProgram('opendkim') as string, parameters, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const kill = (): void => void child.kill('SIGTERM');
  process.once('exit', kill);
  await listening(port);
  return {
    async stop() {
      process.off('exit', kill);
      kill();
      await ended;
    },
  };
}

async function nextHop(mails: HandedOn[]): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 100,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo[0]?.address ?? '',
          source: Buffer.concat(chunks).toString('latin1'),
        });
        done();
      });
    },
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
