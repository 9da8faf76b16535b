import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { onTestFinished } from 'vitest';
import type { DirectMxSettings } from '../../../../packages/core/src/deliver/mx/port.ts';
import { createMxTransport, type MxContext } from '../../../../packages/core/src/deliver/mx/transport.ts';
import type { OutgoingMail, Transport } from '../../../../packages/core/src/deliver/port.ts';
import {
  type DirectMxOptions,
  directMx,
  type MailRelay,
  type MailRelayOptions,
} from '../../../../packages/core/src/index.ts';
import { type FakeDns, patienceWith } from '../../../support/dns.ts';
import { relayWith } from '../../../support/relay.ts';

/** What a mail server of a test took. */
export interface Taken {
  readonly to: string;
  readonly secure: boolean;
  /** Address that the client came from. */
  readonly from: string;
  readonly ehlo: string;
}

/** A mail server on an address of the loopback until the test ends. */
export interface Host {
  readonly port: number;
  readonly taken: Taken[];
  /** Addresses that clients came from, one for each connection. */
  readonly clients: string[];
}

/** Starts a mail server, without TLS unless told. All hosts of a test share the port of the first. */
export async function mailHost(address: string, port = 0, options: SMTPServerOptions = {}): Promise<Host> {
  const taken: Taken[] = [];
  const clients: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 100,
    onConnect(session, done) {
      clients.push(session.remoteAddress);
      done();
    },
    onData(stream, session, done) {
      stream.resume();
      stream.on('end', () => {
        taken.push({
          to: session.envelope.rcptTo[0]?.address ?? '',
          secure: session.secure,
          from: session.remoteAddress,
          ehlo: String(session.hostNameAppearsAs),
        });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(port, address, () => resolve());
  });
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as AddressInfo).port, taken, clients };
}

/** A host that counts the sessions that are open at once. */
export interface CountingHost extends Host {
  readonly open: () => number;
  readonly most: () => number;
  /** From now on the most is counted anew. */
  recount(): void;
}

/** A mail server that takes its time, and counts the sessions that are open at once. */
export async function countingHost(
  address: string,
  port = 0,
  options: Pick<SMTPServerOptions, 'onMailFrom'> = {},
): Promise<CountingHost> {
  let open = 0;
  let most = 0;
  const host = await mailHost(address, port, {
    onConnect(_, done) {
      open += 1;
      most = Math.max(most, open);
      done();
    },
    onClose() {
      open -= 1;
    },
    onMailFrom: (_, __, done) => void setTimeout(done, 20),
    ...options,
  });
  const recount = () => {
    most = open;
  };
  return { ...host, open: () => open, most: () => most, recount };
}

/** A relay with direct MX over a fake name server; it may send to the loopback. */
export function relayTo(
  dns: FakeDns,
  port: number,
  route: Partial<DirectMxOptions> = {},
  options: MailRelayOptions = {},
): MailRelay {
  const base = { hostname: 'out.sender.test', ports: { smtp: port }, allowPrivateAddresses: true, mtaSts: false };
  const servers = { servers: [dns.server], timeoutMs: 2000, tries: 1 };
  return relayWith({ routes: [directMx({ ...base, dns: servers, ...route })], ...options });
}

/** A transport over a fake name server; it may send to the loopback. */
export function direct(
  dns: FakeDns,
  port: number,
  settings: Partial<DirectMxSettings> = {},
  context: MxContext = {},
): Transport {
  const transport = createMxTransport(
    'mx',
    {
      hostname: 'out.sender.test',
      ports: { smtp: port, ...settings.ports },
      dns: { servers: [dns.server], timeoutMs: patienceWith(dns.zone), tries: 1 },
      allowPrivateAddresses: true,
      connectionTimeoutMs: 1000,
      greetingTimeoutMs: 2000,
      ...settings,
    },
    context,
  );
  onTestFinished(() => transport.close());
  return transport;
}

/** A mail for an address. */
export function mailTo(to: string, more: Partial<OutgoingMail> = {}): OutgoingMail {
  return {
    deliveryId: `dlv_${to}`,
    messageId: '<1@sender.test>',
    envelope: { from: 'app@sender.test', to, utf8: false, eightBit: false },
    raw: Buffer.from('Subject: Hello\r\n\r\nHello\r\n'),
    subject: 'Hello',
    ...more,
  };
}

/** A server of MTA-STS policies until the test ends. */
export async function policyServer(
  address: string,
  { cert, key }: { readonly cert: string; readonly key: string },
  policies: Record<string, string>,
): Promise<{ readonly port: number; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    const domain = (request.headers.host ?? '').replace(/^mta-sts\.|:\d+$/g, '');
    asked.push(`${domain}${request.url}`);
    const policy = policies[domain];
    response.writeHead(policy === undefined ? 404 : 200, { 'content-type': 'text/plain' });
    response.end(policy);
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}
