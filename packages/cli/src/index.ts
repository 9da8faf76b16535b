/** Mail Relay on the command line. */
import { parseArgs } from 'node:util';
import { isMailRelayError } from '@mailrelay/core';
import { build } from './build.ts';
import { check } from './check.ts';
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
    terminal.complain(isMailRelayError(error) ? error.message : String((error as Error).stack ?? error));
    return 1;
  }
}

async function dispatch(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      check: { type: 'boolean', default: false },
      data: { type: 'string' },
      schemas: { type: 'string' },
      online: { type: 'boolean', default: false },
      port: { type: 'string', default: '3333' },
      help: { type: 'boolean', short: 'h', default: false },
      version: { type: 'boolean', short: 'v', default: false },
    },
  });
  if (values.help) return told(terminal, USAGE);
  if (values.version) return told(terminal, VERSION);
  const [subject, command, folder, ...more] = positionals;
  if (subject !== 'templates' || command === undefined) throw new UsageError('No command is given.');
  if (!['build', 'check', 'preview'].includes(command)) throw new UsageError(`There is no command ${command}.`);
  if (folder === undefined || more.length > 0) throw new UsageError(`${command} takes one folder.`);
  if (command === 'build') return build({ folder, out: needed(values.out), check: values.check }, terminal);
  const { data, schemas, online } = values;
  if (command === 'check') return check({ folder, data, schemas, online }, terminal);
  return preview({ folder, data, port: portOf(values.port) }, terminal);
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
