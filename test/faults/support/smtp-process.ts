/** A real SMTP server in a process of its own, so that it can be killed and stopped like one: `node smtp-process.ts <log> <port>`. */
import { existsSync, openSync, writeSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import { speakGarbage } from './garbage.ts';
import type { Mode, Seen } from './smtp-log.ts';

const [, , log = '', port] = process.argv;
const file = openSync(log, 'a');
let mode: Mode = 'well';
const sockets = new Map<number, Socket>();
/** Pairs of garbage and step that were said. */
const garbage = new Set<string>();
const begun = new WeakMap<SMTPServerSession, number>();

function write(what: Seen['what'], to: string, facts: Partial<Seen> = {}): void {
  const seen: Seen = { what, at: Date.now(), to, messageId: '', links: [], ...facts };
  writeSync(file, `${JSON.stringify(seen)}\n`);
}

function refusal(code: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode: code });
}

const smtp = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  disableReverseLookup: true,
  onConnect(_session, done) {
    done(mode === 'busy' ? refusal(421, '4.3.2 not now') : undefined);
  },
  onMailFrom(_address, session, done) {
    begun.set(session, Date.now());
    done();
  },
  onRcptTo({ address }, session, done) {
    if (mode === 'later') {
      write('later', address);
      return done(refusal(451, '4.3.0 try again later'));
    }
    write('begun', address, { at: begun.get(session) ?? Date.now() });
    if (!address.startsWith('gone')) return done();
    write('refused', address);
    done(refusal(550, '5.1.1 no such user'));
  },
  onData(stream, session, done) {
    const to = session.envelope.rcptTo[0]?.address ?? '';
    const drop = (): void => void sockets.get(session.remotePort)?.destroy();
    if (mode === 'drop-before') drop();
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      if (mode === 'hang' || mode === 'drop-before') return;
      if (to.startsWith('unwanted')) {
        write('refused', to);
        return done(refusal(554, '5.6.0 not this content'));
      }
      const mail = Buffer.concat(chunks).toString();
      const messageId = /^Message-ID: (.*?)\r?$/im.exec(mail)?.[1] ?? '';
      write('taken', to, { messageId, links: linksOf(mail) });
      if (mode === 'drop-after') return drop();
      done();
      write('answered', to, { messageId });
    });
  },
});
smtp.on('error', () => {});

/** Quoted-printable undone as far as links need it. */
function linksOf(mail: string): string[] {
  const plain = mail.replace(/=\r?\n/g, '').replace(/=3D/g, '=');
  return [...new Set(plain.match(/https?:\/\/[^\s"'<>]*\/mail\/[ocu]\/[^\s"'<>]+/g) ?? [])];
}

const server = createServer((socket) => {
  const key = socket.remotePort ?? 0;
  sockets.set(key, socket);
  socket.on('error', () => {});
  socket.on('close', () => sockets.delete(key));
  if (mode === 'garbage') speakGarbage(socket, (pair) => garbage.add(pair));
  else smtp.server.emit('connection', socket);
});
server.listen(Number(port), '127.0.0.1', () => process.send?.({ listening: true }));

process.on('message', (message: { mode?: Mode; connections?: true; garbage?: true; freeze?: string }) => {
  if (message.freeze !== undefined) return freeze(message.freeze);
  if (message.connections) return void process.send?.({ connections: sockets.size });
  if (message.garbage) return void process.send?.({ garbage: garbage.size });
  const before = mode;
  mode = message.mode ?? 'well';
  // Connections that are open know nothing of how the server behaves from now on; but that it refuses recipients, or no more.
  const told = before !== 'later' && (mode === 'garbage' || mode === 'well' || mode === 'busy');
  for (const socket of sockets.values()) if (told) socket.destroy();
  process.send?.({ mode });
});
/** Does nothing at all while the file is there, like a process that is stopped; but not longer than its parent lives. */
function freeze(path: string): void {
  const parent = process.ppid;
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  while (existsSync(path) && process.ppid === parent) Atomics.wait(nobody, 0, 0, 10);
}

process.on('disconnect', () => process.exit());
