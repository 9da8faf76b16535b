import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { nameOf, processesWith } from '../support/processes.ts';
import { scratchFolder } from '../support/relay.ts';

import { isInMemory } from './figures.ts';
import { whyNoPostfix } from './postfix.ts';

const Figure = z.strictObject({
  name: z.string().regex(/^\w+: ./),
  value: z.number(),
  unit: z.string().min(1),
  target: z.number().nullable(),
  met: z.boolean().nullable(),
});

const LINUX = process.platform === 'linux';
/** Linux has one. */
const MEMORY = '/dev/shm';
const PROGRAM = [...process.execArgv, `${import.meta.dirname}/run.ts`];

/** @param folder - the only place for what it leaves, and a mark of all that it starts */
const run = (folder: string, ...parameters: string[]): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, [...PROGRAM, ...parameters], { env: { ...process.env, TMPDIR: folder } });

/** A folder for a benchmark, which Postfix reaches as a user of its own. */
function openFolder(): string {
  const folder = scratchFolder();
  chmodSync(folder, 0o755);
  return folder;
}

/** A benchmark that ends, however it ends, ends everything that it started, and removes its files. */
async function expectNothingLeft(folder: string): Promise<void> {
  if (LINUX) await expect.poll(() => processesWith(folder)).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
}

it('each benchmark runs, prints well-formed figures, and leaves nothing', async () => {
  const folder = openFolder();
  const { stdout } = await run(folder, '--tiny', '--json', '--all');
  const figures = stdout
    .trim()
    .split('\n')
    .map((line) => Figure.parse(JSON.parse(line)));
  const measured = new Set(figures.map(({ name }) => name.split(':')[0]));
  expect([...measured].sort()).toEqual(
    [
      ...[
        'campaign',
        'coldstart',
        'distant',
        'domains',
        'growth',
        'host',
        'million',
        'profile',
        'rendering',
        'routes',
        'signed',
      ],
      ...['submission', 'webhooks'],
    ].sort(),
  );
  expect(figures.filter(({ target, met }) => (target === null) !== (met === null))).toEqual([]);
  // A profile begins once the programs have started.
  expect(figures.filter(({ name }) => name.includes('compileSourceTextModule'))).toEqual([]);
  await expectNothingLeft(folder);
}, 300_000);

it.runIf(existsSync(MEMORY) && isInMemory(MEMORY))(
  'figures of what is durable have no target on a disk in memory',
  async () => {
    const folder = mkdtempSync(`${MEMORY}/mail-relay-`);
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { stdout, stderr } = await run(folder, 'submission', '--tiny', '--json');
    expect(stdout).toContain('"name":"submission: send() with 100 callers"');
    expect(stdout).not.toMatch(/"met":(?!null)/);
    expect(stderr).toContain(`bench: ${folder} is in memory`);
  },
);

/** Starts a benchmark, and stops it once what it has started is as told. */
async function expectStopped(name: string, started: (others: readonly number[]) => boolean): Promise<void> {
  const folder = openFolder();
  const child: ChildProcess = spawn(process.execPath, [...PROGRAM, name, '--tiny'], {
    env: { ...process.env, TMPDIR: folder },
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill());
  const exited = once(child, 'exit');
  const others = (): number[] => processesWith(folder).filter((id) => id !== child.pid);
  await expect.poll(() => started(others()), { timeout: 30_000, interval: 5 }).toBe(true);
  await expect.poll(() => readdirSync(folder), { interval: 5 }).not.toEqual([]);
  child.kill('SIGTERM');
  expect(await exited).toEqual([1, null]);
  await expectNothingLeft(folder);
}

it.runIf(LINUX)('a benchmark that is stopped in the middle leaves nothing', () =>
  // Its sink, and who sends to it.
  expectStopped('campaign', (others) => others.length >= 2),
);

it.runIf(LINUX && whyNoPostfix() === undefined)('a benchmark that is stopped leaves nothing of Postfix', () =>
  expectStopped('signed', (others) => others.some((id) => nameOf(id) === 'master')),
);

it('a benchmark that is not there is named, with those that are', async () => {
  await expect(run(scratchFolder(), 'speed')).rejects.toThrow(
    /there is no benchmark speed; known are campaign, distant/,
  );
});
