/** Postfix as it is installed, in an instance of its own: with its own folders, queue and ports. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { findProgram } from './programs.ts';

/** What is particular about an instance. */
export interface PostfixSetup {
  /** Where it lives; goes away with whoever made it. */
  readonly folder: string;
  /** `smtpd` services: address, port, and settings that are its own. */
  readonly listeners: readonly {
    readonly address: string;
    readonly port: number;
    readonly settings?: Record<string, string>;
  }[];
  /** Settings of main.cf beside the usual ones. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A running instance. */
export interface Postfix {
  /** Of its master process. */
  pid(): number;
  stop(): Promise<void>;
}

/** Starts an instance; whoever needs it waits until it listens. It ends with this process. */
export function startPostfix(setup: PostfixSetup): Postfix {
  configure(setup);
  const config = `${setup.folder}/config`;
  const program = findProgram('postfix') as string;
  const starter = spawn(program, ['-c', config, 'start-fg'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => starter.once('exit', resolve));
  const pid = (): number => Number(readFileSync(`${setup.folder}/queue/pid/master.pid`, 'utf8'));
  const stop = (): void => {
    try {
      execFileSync(program, ['-c', config, 'stop'], { stdio: 'ignore' });
    } catch {
      endMaster(pid);
      starter.kill('SIGKILL');
    }
  };
  // Its folder, which somebody else made before, goes with this process as well: it stops first.
  process.prependOnceListener('exit', stop);
  return {
    pid,
    async stop() {
      process.off('exit', stop);
      stop();
      await ended;
    },
  };
}

/** For an instance that does not stop, or has only begun to start. The others end with their master. */
function endMaster(pid: () => number): void {
  try {
    const id = pid();
    // Of a file that is not written yet.
    if (id > 0) process.kill(id);
  } catch {
    // There is none yet, or none any more.
  }
}

function configure({ folder, listeners, settings }: PostfixSetup): void {
  chmodSync(folder, 0o755);
  for (const name of ['config', 'queue', 'data']) mkdirSync(`${folder}/${name}`, { recursive: true });
  execFileSync('chown', ['postfix', `${folder}/data`]);
  const all = {
    compatibility_level: '3.6',
    queue_directory: `${folder}/queue`,
    data_directory: `${folder}/data`,
    command_directory: '/usr/sbin',
    daemon_directory: '/usr/lib/postfix/sbin',
    mail_owner: 'postfix',
    setgid_group: 'postdrop',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    mydestination: '',
    alias_maps: '',
    alias_database: '',
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}\n`);
  writeFileSync(`${folder}/config/main.cf`, lines.join(''));
  writeFileSync(`${folder}/config/master.cf`, `${[...listeners.map(smtpd), ...SERVICES].join('\n')}\n`);
}

function smtpd({ address, port, settings = {} }: PostfixSetup['listeners'][number]): string {
  // Braces keep values with spaces together (master(5)).
  const own = Object.entries(settings).map(([name, value]) => `\n  -o { ${name} = ${value} }`);
  return `${address}:${port} inet n - n - - smtpd${own.join('')}`;
}

const SERVICES = [
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
