/** Mail Relay on the command line. */
import { parseArgs } from 'node:util';
import { isMailRelayError } from '@mailrelay/core';
import { build } from './build.ts';
import { check, type OnlineOptions } from './check.ts';
import { CommandError } from './command-error.ts';
import { preview } from './preview.ts';

/** Where a command prints to, and what ends it. */
export interface Terminal {
  print(text: string): void;
  complain(text: string): void;
  /** Ends commands that run until they are told to stop. */
  readonly stop: AbortSignal;
}

const USAGE = `Usage:
  mailrelay templates build <folder> --out <file.ts>     compiles the templates into one module, with types
      --check            writes nothing; exit code 1 where the module is older than the templates
  mailrelay templates check <folder>                     checks the templates; exit code 1 where something is wrong
      --data <file>      sample data by template: JSON, or a module with a default export
      --schemas <file>   module whose default export has a Standard Schema by template
      --online           also asks whether the links answer
      --timeout <number> seconds that a link may take, with --online (default 10)
      --allow-private    also asks links to this machine and its network, with --online
  mailrelay templates preview <folder>                   serves the templates as they are written
      --port <number>    port (default 3333)
      --data <file>      as above
  mailrelay --help, --version`;

/** What is wrong with how the command was called. */
export class UsageError extends Error {}

/**
 * Runs a command.
 *
 * @param argv - without `node` and the program
 * @returns the exit code: 0 all is well, 1 the templates are not, 2 the command was not understood
 */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(argv, terminal);
  } catch (error) {
    if (error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true) {
      terminal.complain(`${(error as Error).message}\n\n${USAGE}`);
      return 2;
    }
    const explained = isMailRelayError(error) || error instanceof CommandError;
    terminal.complain(explained ? error.message : String((error as Error).stack ?? error));
    return 1;
  }
}

/** What each command takes. */
const TAKES: ReadonlyMap<string, readonly string[]> = new Map([
  ['build', ['out', 'check']],
  ['check', ['data', 'schemas', 'online', 'timeout', 'allow-private']],
  ['preview', ['port', 'data']],
]);

async function dispatch(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      check: { type: 'boolean' },
      data: { type: 'string' },
      schemas: { type: 'string' },
      online: { type: 'boolean' },
      timeout: { type: 'string' },
      'allow-private': { type: 'boolean' },
      port: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
  });
  if (values.help) return told(terminal, USAGE);
  if (values.version) return told(terminal, VERSION);
  const [subject, command, folder, ...more] = positionals;
  if (subject !== 'templates' || command === undefined) throw new UsageError('No command is given.');
  const takes = TAKES.get(command);
  if (takes === undefined) throw new UsageError(`There is no command ${command}.`);
  if (folder === undefined || more.length > 0) throw new UsageError(`${command} takes one folder.`);
  const foreign = Object.keys(values).find((name) => !takes.includes(name));
  if (foreign !== undefined) throw new UsageError(`${command} has no option --${foreign}.`);
  const { data, schemas } = values;
  if (command === 'build') return build({ folder, out: needed(values.out), check: values.check ?? false }, terminal);
  if (command === 'check') return check({ folder, data, schemas, online: onlineOf(values) }, terminal);
  return preview({ folder, data, port: portOf(values.port ?? '3333') }, terminal);
}

/** Version of the package. */
export const VERSION = '0.1.0';

function told(terminal: Terminal, text: string): number {
  terminal.print(text);
  return 0;
}

function needed(out: string | undefined): string {
  if (out === undefined) throw new UsageError('build needs --out <file.ts>.');
  return out;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new UsageError('--port is a number up to 65535.');
  return port;
}

function onlineOf(given: {
  readonly online?: boolean | undefined;
  readonly timeout?: string | undefined;
  readonly 'allow-private'?: boolean | undefined;
}): OnlineOptions | undefined {
  const { online = false, timeout, 'allow-private': allowPrivate } = given;
  if (!online && timeout !== undefined) throw new UsageError('--timeout goes with --online.');
  if (!online && allowPrivate !== undefined) throw new UsageError('--allow-private goes with --online.');
  if (!online) return undefined;
  return { timeoutMs: secondsOf(timeout ?? '10') * 1000, allowPrivate: allowPrivate ?? false };
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 600)) throw new UsageError('--timeout is a number of seconds over 0, up to 600.');
  return seconds;
}
