import { type AddressInfo, createServer, type Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import { onTestFinished } from 'vitest';

/** A mail that a server took. */
export interface Received {
  readonly to: string;
  readonly source: string;
  readonly session: SMTPServerSession;
}

/** A real SMTP server until the test ends. */
export interface Inbox {
  readonly port: number;
  readonly mails: Received[];
  /** Connections that were ever opened, and those that are now. */
  readonly connections: { opened: number; now: number; most: number };
  readonly server: SMTPServer;
}

/** Starts a server that takes everything, without TLS unless told. */
export async function smtpServer(options: SMTPServerOptions = {}): Promise<Inbox> {
  const mails: Received[] = [];
  const connections = { opened: 0, now: 0, most: 0 };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 100,
    onConnect(_session, done) {
      connections.opened += 1;
      connections.now += 1;
      connections.most = Math.max(connections.most, connections.now);
      done();
    },
    onClose() {
      connections.now -= 1;
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const to = session.envelope.rcptTo[0]?.address ?? '';
        mails.push({ to, source: Buffer.concat(chunks).toString(), session });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as AddressInfo).port, mails, connections, server };
}

/** A server that speaks by hand: for what no SMTP server does. Answers its port and what it was told, line by line. */
export async function rawServer(
  speak: (socket: Socket, line: string | undefined) => void,
  host = '127.0.0.1',
): Promise<{ readonly port: number; readonly lines: string[] }> {
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    speak(socket, undefined);
    let rest = '';
    socket.on('data', (chunk) => {
      rest += chunk.toString();
      const complete = rest.split('\r\n');
      rest = complete.pop() ?? '';
      for (const line of complete) {
        lines.push(line);
        speak(socket, line);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, lines };
}

/** Conversation of a server that takes all, until `turn` answers something else for a line. */
export function politely(
  turn: (line: string, socket: Socket) => string | undefined | null,
): (socket: Socket, line: string | undefined) => void {
  const inData = new WeakSet<Socket>();
  return (socket, line) => {
    if (line === undefined) return void socket.write('220 here\r\n');
    const own = turn(inData.has(socket) && line !== '.' ? `DATA:${line}` : line, socket);
    if (own === null) return;
    if (own !== undefined) {
      if (line === '.') inData.delete(socket);
      return void socket.write(`${own}\r\n`);
    }
    if (inData.has(socket)) {
      if (line !== '.') return;
      inData.delete(socket);
      return void socket.write('250 2.0.0 Ok\r\n');
    }
    if (line === 'DATA') inData.add(socket);
    socket.write(line === 'DATA' ? '354 go\r\n' : line === 'QUIT' ? '221 bye\r\n' : '250 Ok\r\n');
  };
}

/** A server that takes a mail only when told to. */
export async function slowServer(): Promise<Inbox & { release(): void; waiting: () => number }> {
  let go = Promise.withResolvers<void>();
  let waiting = 0;
  const inbox = await smtpServer({
    onRcptTo(_address, _session, done) {
      waiting += 1;
      void go.promise.then(() => {
        waiting -= 1;
        done();
      });
    },
  });
  return Object.assign(inbox, {
    release() {
      go.resolve();
      go = Promise.withResolvers();
      go.resolve();
    },
    waiting: () => waiting,
  });
}
