/** Postfix beside the relay: its test programs back to back, and an instance of its own as a relay between them. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { elapsedMs, scratchFolder } from './figures.ts';
import { CONNECTIONS } from './mails.ts';
import { asNobody, findProgram, freePort, listening, startDaemon, startSink } from './sinks.ts';

/** How fast mail went from `smtp-source` to `smtp-sink`. */
export interface SourceRun {
  readonly seconds: number;
  /** Of Postfix, in ticks of the kernel; undefined where nothing but the test programs ran. */
  readonly cpuSeconds: number | undefined;
}

/** Why Postfix cannot be measured here; undefined where it can. */
export function whyNoPostfix(): string | undefined {
  if (findProgram('smtp-source') === undefined) return 'Postfix is not installed';
  if (process.platform !== 'linux') return 'Postfix is measured on Linux only';
  return process.getuid?.() === 0 ? undefined : 'Postfix starts as root only';
}

/** What the test programs reach without anything between them. */
export async function sourceToSink(messages: number, bytes: number): Promise<SourceRun> {
  const sink = await startSink();
  try {
    const seconds = (await elapsedMs(() => pump(sink.port, messages, bytes))) / 1000;
    return { seconds, cpuSeconds: undefined };
  } finally {
    await sink.stop();
  }
}

/** An instance of Postfix with its own queue, until the last mail has left it. */
export async function throughPostfix(messages: number, bytes: number): Promise<SourceRun> {
  const folder = scratchFolder();
  const sink = await countingSink(messages);
  const port = await freePort();
  configure(folder.path, port, sink.port);
  const config = `${folder.path}/config`;
  const program = findProgram('postfix') as string;
  const master = spawn(program, ['-c', config, 'start-fg'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => master.once('exit', resolve));
  const stop = (): void => void execFileSync(program, ['-c', config, 'stop'], { stdio: 'ignore' });
  process.once('exit', stop);
  try {
    await listening(port);
    const pid = Number(readFileSync(`${folder.path}/queue/pid/master.pid`, 'utf8'));
    const before = cpuSecondsOf(pid);
    const ms = await elapsedMs(() => Promise.all([pump(port, messages, bytes), sink.ended]));
    return { seconds: ms / 1000, cpuSeconds: cpuSecondsOf(pid) - before };
  } finally {
    process.off('exit', stop);
    stop();
    await ended;
    await sink.stop();
    folder.remove();
  }
}

/** A sink that ends with the last message. */
async function countingSink(
  messages: number,
): Promise<{ port: number; ended: Promise<void>; stop: () => Promise<void> }> {
  const port = await freePort();
  const program = findProgram('smtp-sink') as string;
  const daemon = startDaemon(program, [...asNobody(), '-M', `${messages}`, `127.0.0.1:${port}`, '1000']);
  await listening(port);
  return { port, ...daemon };
}

/** Hands messages in, over connections that stay open. */
function pump(port: number, messages: number, bytes: number): Promise<void> {
  const count = ['-m', `${messages}`, '-l', `${bytes}`, '-s', `${CONNECTIONS}`];
  const envelope = ['-f', 'news@example.com', '-t', 'reader@example.com'];
  const parameters = ['-d', '-4', ...count, ...envelope, `127.0.0.1:${port}`];
  return new Promise((resolve, reject) => {
    const program = findProgram('smtp-source') as string;
    execFile(program, parameters, { timeout: 600_000 }, (error) => (error ? reject(error) : resolve()));
  });
}

/** Postfix as it is installed, but for its places, its port and its next hop. */
function configure(folder: string, port: number, next: number): void {
  chmodSync(folder, 0o755);
  for (const name of ['config', 'queue', 'data']) mkdirSync(`${folder}/${name}`);
  execFileSync('chown', ['postfix', `${folder}/data`]);
  const settings = {
    compatibility_level: '3.6',
    queue_directory: `${folder}/queue`,
    data_directory: `${folder}/data`,
    command_directory: '/usr/sbin',
    daemon_directory: '/usr/lib/postfix/sbin',
    mail_owner: 'postfix',
    setgid_group: 'postdrop',
    myhostname: 'bench.example.com',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    mynetworks: '127.0.0.0/8',
    mydestination: '',
    alias_maps: '',
    alias_database: '',
    relayhost: `[127.0.0.1]:${next}`,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
  writeFileSync(`${folder}/config/main.cf`, lines.join(''));
  const services = [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    'pickup unix n - n 60 1 pickup',
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'verify unix - - n - 1 verify',
    'flush unix n - n 1000? 0 flush',
    'proxymap unix - - n - - proxymap',
    'smtp unix - - n - - smtp',
    'relay unix - - n - - smtp',
    'showq unix n - n - - showq',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'discard unix - - n - - discard',
    'anvil unix - - n - 1 anvil',
    'scache unix - - n - 1 scache',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
  ];
  writeFileSync(`${folder}/config/master.cf`, `${services.join('\n')}\n`);
}

/** CPU of a process and its children, those that have ended included. */
function cpuSecondsOf(parent: number): number {
  let ticks = 0;
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    let stat: string;
    try {
      stat = readFileSync(`/proc/${name}/stat`, 'utf8');
    } catch {
      continue; // it has ended meanwhile
    }
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
    if (Number(name) === parent) ticks += user + system + endedUser + endedSystem;
    else if (fields[1] === parent) ticks += user + system;
  }
  return ticks / 100;
}
