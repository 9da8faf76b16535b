// Checks the packages as users get them: packs them, lints the tarballs, installs them into ESM and CommonJS projects of
// their own, also Nest applications that tsc compiles, type-checks a consumer, sends one mail from each project (from the ESM
// project under the oldest supported Node, too), and runs the tests that one of them has under jest.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SMTPServer } from 'smtp-server';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PACKAGES = ['core', 'express', 'nestjs', 'cli'];
const PROJECTS = join(ROOT, 'test/packages');
const OLDEST_NODE = join(ROOT, 'test/oldest-node/node_modules/.bin/node');
const INSTALL = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];

const exec = promisify(execFile);

const scratch = await mkdtemp(join(tmpdir(), 'mail-relay-packages-'));
try {
  const tarballs = await Promise.all(PACKAGES.map((name) => pack(join(ROOT, 'packages', name))));
  const projects = (await readdir(PROJECTS)).sort((one, other) => Number(isNest(other)) - Number(isNest(one)));
  await checkOldestNode();
  await inTurns([
    ...projects.map((name) => () => tryProject(name, tarballs)),
    ...tarballs.map((tarball) => () => lint(tarball)),
  ]);
} catch (error) {
  fail(error);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

/** Does all, also after one has failed; two at a time, because installing waits a lot. What takes long stands first. */
async function inTurns(jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const left = jobs.values();
  const work = async (): Promise<void> => {
    for (const job of left) await job().catch(fail);
  };
  await Promise.all([work(), work()]);
}

function isNest(project: string): boolean {
  return project.startsWith('nestjs-');
}

async function pack(folder: string): Promise<string> {
  const target = join(scratch, 'tarballs');
  await mkdir(target, { recursive: true });
  const { stdout } = await exec('pnpm', ['pack', '--json', '--pack-destination', target], { cwd: folder });
  const { filename } = JSON.parse(stdout) as { filename: string };
  console.log(`packed ${filename.slice(target.length + 1)}`);
  return filename;
}

async function lint(tarball: string): Promise<void> {
  await exec('publint', ['run', '--strict', tarball], { cwd: ROOT });
  // Every way of resolving, also the old one that CommonJS projects still have; that require() gets ES modules is meant so.
  await exec('attw', ['--ignore-rules', 'cjs-resolves-to-esm', '--', tarball], { cwd: ROOT });
  console.log(`publint and attw accept ${tarball.slice(dirname(tarball).length + 1)}`);
}

/** Installs the tarballs that it uses into a copy of one project, and lets it send a mail to a server that reads it. */
async function tryProject(name: string, tarballs: string[]): Promise<void> {
  const folder = join(scratch, name);
  await cp(join(PROJECTS, name), folder, { recursive: true });
  const framework = isNest(name) ? 'nestjs' : 'express';
  const wanted = tarballs.filter((tarball) =>
    [framework, 'core', 'cli'].some((one) => basename(tarball).startsWith(`mailrelay-${one}-`)),
  );
  await exec('npm', [...INSTALL, ...wanted], { cwd: folder });
  await exec(join(folder, 'node_modules/.bin/mailrelay'), ['--version'], { cwd: folder });
  await typeCheck(name, folder);
  const nodes = name === 'esm' ? [process.execPath, OLDEST_NODE] : [process.execPath];
  for (const node of nodes) for (const program of programs(folder)) await tryProgram(name, folder, [node, program]);
  await runTests(name, folder);
}

/** The compiled tests of a project that has some, under jest: it needs a switch to load ES modules. */
async function runTests(name: string, folder: string): Promise<void> {
  const jest = join(folder, 'node_modules/jest/bin/jest.js');
  if (!existsSync(jest)) return;
  const env = { ...process.env, NODE_OPTIONS: '--experimental-vm-modules' };
  const { stderr } = await exec(process.execPath, [jest, '--ci', '--testTimeout=60000', '--rootDir', folder, 'dist/'], {
    cwd: folder,
    env,
  });
  if (!/^Tests:\s+\d+ passed, \d+ total$/m.test(stderr)) throw new Error(`${name}: jest ran no tests:\n${stderr}`);
  console.log(`the tests of the ${name} project pass under jest`);
}

/** The Node of `test/oldest-node` is the first that the packages say they run on. */
async function checkOldestNode(): Promise<void> {
  const { stdout } = await exec(OLDEST_NODE, ['--version']);
  for (const name of PACKAGES) {
    const manifest = JSON.parse(await readFile(join(ROOT, 'packages', name, 'package.json'), 'utf8'));
    const { node } = manifest.engines as { node: string };
    if (`v${node.replace('>=', '')}.0` !== stdout.trim())
      throw new Error(`packages/${name} runs on ${node}, and is tried with ${stdout.trim()}: change test/oldest-node`);
  }
}

/** What the project has to run: a script, or what each of its tsconfigs compiled. */
function programs(folder: string): string[] {
  const found = globSync('{send.js,dist*/main.js}', { cwd: folder });
  if (found.length === 0) throw new Error(`${folder} has no program`);
  return found;
}

async function tryProgram(name: string, folder: string, [node, program]: [string, string]): Promise<void> {
  const inbox = await listen();
  try {
    await exec(node, [program], {
      cwd: folder,
      timeout: 60_000,
      env: { ...process.env, SMTP_URL: inbox.url, PROJECT: name },
    });
  } finally {
    await inbox.close();
  }
  const arrived = inbox.mails.filter((mail) => mail.includes(`Subject: Hello from ${name}`)).length;
  if (arrived !== 1 || inbox.mails.length !== 1) {
    throw new Error(
      `${name}: one mail should have arrived, but ${arrived} of ${inbox.mails.length} did:\n${inbox.mails.join('\n')}`,
    );
  }
  const under = node === OLDEST_NODE ? ', under the oldest Node' : '';
  console.log(`the ${name} project sent its mail (${program}${under})`);
}

/** Compiles the project in each way it has a tsconfig for: against the declarations in the tarballs, with every check on. */
async function typeCheck(name: string, folder: string): Promise<void> {
  for (const file of await readdir(folder)) {
    if (!/^tsconfig.*\.json$/.test(file)) continue;
    await exec('tsc', ['-p', file], { cwd: folder });
    console.log(`the ${name} project type-checks with ${file}`);
  }
}

async function listen(): Promise<{ url: string; mails: string[]; close: () => Promise<void> }> {
  const mails: string[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        mails.push(Buffer.concat(chunks).toString());
        done();
      });
    },
  });
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return { url: `smtp://127.0.0.1:${port}`, mails, close };
}

function fail(error: unknown): void {
  console.error(explain(error));
  process.exitCode = 1;
}

/** A failed command with what it printed; anything else with its stack. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
  return [error.stack, stdout, stderr].filter(Boolean).join('\n');
}
