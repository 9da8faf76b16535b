import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { generatedPages } from '../../scripts/docs.ts';
import { awayFromMidnight } from '../support/midnight.ts';
import { freePort } from '../support/programs.ts';
import { DECORATOR_ARGUMENTS } from '../support/source.ts';
import { type Page, pages, ROOT, type Snippet } from './snippets.ts';

const all = pages();
// Below the repository, so that the packages are found; ignored by git.
mkdirSync(join(ROOT, '.tools'), { recursive: true });
const folder = mkdtempSync(join(ROOT, '.tools', 'snippets-'));
const sink = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onAuth: ({ username }, _, done) => done(null, { user: username }),
  logger: false,
});
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
  // A program spends half of its time waiting for its thread, a server or a clock: several at once.
  for (const page of all) {
    for (const snippet of page.snippets) {
      it.concurrent(`runs the program on line ${snippet.line} of ${page.path}`, async () => {
        const port = await freePort();
        const file = write('runs', page, snippet, port);
        const { printed, code } = await run(file, snippet, port);
        expect(printed.filter((line) => snippet.prints.includes(line))).toEqual(snippet.prints);
        expect(code).toBe(0);
      });
    }
  }

  it.concurrent('has only programs that pass the type check', async () => {
    const files = all.flatMap((page) => page.snippets.map((snippet) => write('types', page, snippet, 3000)));
    // What merges into the types of the package counts for the whole program, and so is checked alone.
    const alone = files.filter((file) => readFileSync(file, 'utf8').includes('declare module'));
    const together = files.filter((file) => !alone.includes(file));
    const programs = [together, ...alone.map((file) => [file])];
    expect((await Promise.all(programs.map(typeErrors))).join('')).toBe('');
  });

  it('has pages that are generated from the code as it is', () => {
    for (const [path, page] of generatedPages()) expect(readFileSync(join(ROOT, path), 'utf8'), path).toBe(page);
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
async function typeErrors(files: readonly string[], index: number): Promise<string> {
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
  const compiler = spawn(join(ROOT, 'node_modules/.bin/tsc'), ['-p', tsconfig], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said, [code]] = await Promise.all([text(compiler.stdout), once(compiler, 'exit')]);
  return code === 0 ? said : `${said}exit code ${code}`;
}

/** Writes a program and the files of its page into a folder of their own; ports become free ones. */
function write(purpose: 'runs' | 'types', page: Page, snippet: Snippet, port: number): string {
  const place = join(folder, purpose, `${page.path.replace(/\W+/g, '-')}-${snippet.line}`);
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
  await awayFromMidnight();
  const child = spawn(join(ROOT, 'node_modules/.bin/node'), [...DECORATOR_ARGUMENTS, file], {
    cwd: dirname(file),
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const ended = once(child, 'exit') as Promise<[number | null]>;
  if (snippet.serves) await stopWhenServing(child, port);
  const [code] = await ended;
  const [output, errors] = await said;
  if (code !== 0 && !snippet.serves) throw new Error(`exit code ${code}\n${output}\n${errors}`);
  return { printed: output.split('\n').map((line) => line.trim()), code: snippet.serves ? 0 : code };
}

/** A program that serves is asked how it is, then ended. */
async function stopWhenServing(child: ChildProcess, port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/mail/health`;
  await vi.waitUntil(
    () =>
      fetch(url).then(
        ({ status }) => status === 200,
        () => false,
      ),
    { timeout: 60_000, interval: 100 },
  );
  child.kill('SIGKILL');
}
