import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generatedPages } from '../../scripts/docs.ts';
import { DECORATOR_ARGUMENTS } from '../support/source.ts';
import { type Page, pages, ROOT, type Snippet } from './snippets.ts';

const all = pages();
// Below the repository, so that the packages are found; ignored by git.
mkdirSync(join(ROOT, '.tools'), { recursive: true });
const folder = mkdtempSync(join(ROOT, '.tools', 'snippets-'));
const sink = new SMTPServer({ authOptional: true, disabledCommands: ['STARTTLS'], logger: false });
let sinkPort = 0;

beforeAll(async () => {
  sink.listen(0, '127.0.0.1');
  await once(sink.server, 'listening');
  sinkPort = (sink.server.address() as { port: number }).port;
});

afterAll(() => {
  sink.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('documentation', () => {
  for (const page of all) {
    for (const snippet of page.snippets) {
      it(`runs the program on line ${snippet.line} of ${page.path}`, async () => {
        const port = await freePort();
        const file = write(page, snippet, port);
        const { printed, code } = await run(file, snippet, port);
        expect(printed.filter((line) => snippet.prints.includes(line))).toEqual(snippet.prints);
        expect(code).toBe(0);
      });
    }
  }

  it('has only programs that pass the type check', () => {
    const files = all.flatMap((page) => page.snippets.map((snippet) => write(page, snippet, 3000)));
    // What merges into the types of the package counts for the whole program, and so is checked alone.
    const alone = files.filter((file) => readFileSync(file, 'utf8').includes('declare module'));
    const together = files.filter((file) => !alone.includes(file));
    expect([together, ...alone.map((file) => [file])].map(typeErrors).join('')).toBe('');
  });

  it('has pages that are generated from the code as it is', () => {
    for (const [path, text] of generatedPages()) expect(readFileSync(join(ROOT, path), 'utf8'), path).toBe(text);
  });

  it('has no program that promises nothing', () => {
    const idle = all.flatMap((page) =>
      page.snippets
        .filter(({ prints, serves }) => prints.length === 0 && !serves)
        .map(({ line }) => `${page.path}:${line}`),
    );
    expect(idle).toEqual([]);
  });
});

/** What the compiler says of programs. */
function typeErrors(files: readonly string[], index: number): string {
  const tsconfig = join(folder, `tsconfig.${index}.json`);
  const compilerOptions = {
    noEmit: true,
    composite: false,
    declaration: false,
    declarationMap: false,
    isolatedDeclarations: false,
    erasableSyntaxOnly: false,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    customConditions: ['@mailrelay/source'],
  };
  writeFileSync(tsconfig, JSON.stringify({ extends: '../../tsconfig.base.json', compilerOptions, files }));
  return spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', tsconfig], { encoding: 'utf8' }).stdout;
}

/** Writes a program and the files of its page into a folder of their own; ports become free ones. */
function write(page: Page, snippet: Snippet, port: number): string {
  const place = join(folder, `${page.path.replace(/\W+/g, '-')}-${snippet.line}`);
  for (const file of page.files) {
    mkdirSync(dirname(join(place, file.path)), { recursive: true });
    writeFileSync(join(place, file.path), file.text);
  }
  mkdirSync(place, { recursive: true });
  const file = join(place, 'program.ts');
  writeFileSync(
    file,
    snippet.code.replaceAll('localhost:1025', `127.0.0.1:${sinkPort}`).replaceAll('3000', String(port)),
  );
  return file;
}

async function run(file: string, snippet: Snippet, port: number): Promise<{ printed: string[]; code: number | null }> {
  const child = spawn(join(ROOT, 'node_modules/.bin/node'), [...DECORATOR_ARGUMENTS, file], {
    cwd: dirname(file),
    env: { PATH: process.env.PATH, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  if (snippet.serves) await stopWhenServing(child, port);
  const [code] = await ended;
  if (code !== 0 && !snippet.serves) throw new Error(`exit code ${code}\n${output}\n${errors}`);
  return { printed: output.split('\n').map((line) => line.trim()), code: snippet.serves ? 0 : code };
}

/** A program that serves is asked how it is, then ended. */
async function stopWhenServing(child: ChildProcess, port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/mail/health`;
  await expect
    .poll(
      () =>
        fetch(url).then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 30_000, interval: 100 },
    )
    .toBe(200);
  child.kill('SIGKILL');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
