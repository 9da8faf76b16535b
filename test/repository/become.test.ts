import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { scratchFolder } from '../support/relay.ts';

const PROGRAM = new URL('../../scripts/become.mjs', import.meta.url).href;
const TASKS_FILE = new URL('../../scripts/tasks.mjs', import.meta.url).href;
const GRACE_MS = 300;
/** Long enough that both are there by then, on a machine that is busy as well. */
const LONGEST_MS = 8000;
/** Where what lives is told by /proc. */
const linux = process.platform === 'linux';

/** Runs a command that starts another one; answers how it ended, and whether the other one lives. */
async function outcomeOf(command: string, options: object) {
  const file = join(scratchFolder(), 'started');
  const other = `require('fs').writeFileSync(process.env.STARTED, String(process.pid)); setInterval(() => {}, 1000);`;
  const start = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(other)}], { stdio: 'ignore' });
    const started = () => require('fs').existsSync(process.env.STARTED);`;
  const task = `import { become } from ${JSON.stringify(PROGRAM)};
    become(process.execPath, ['-e', ${JSON.stringify(start + command)}], ${JSON.stringify(options)});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', task], {
    env: { ...process.env, STARTED: file },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  expect(existsSync(file), 'the other one was started').toBe(true);
  const pid = Number(readFileSync(file, 'utf8'));
  // The signal is on its way to it.
  await expect.poll(() => lives(pid)).toBe(false);
  return { code, said };
}

/** Whether the process still does something: one that has ended and that nobody has asked about yet does not. */
function lives(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

it.runIf(linux)('a task that takes too long is stopped with what it has started, and has failed', async () => {
  const { code, said } = await outcomeOf('setInterval(() => {}, 1000)', { longestMs: LONGEST_MS, advice: 'try again' });
  expect(code).toBe(1);
  expect(said).toMatch(/the task was stopped: it had not ended after 0\.13\d* minutes; try again/);
});

it('benchmarks and fault tests are stopped before 20 minutes are over', async () => {
  const { TASKS } = (await import(TASKS_FILE)) as { TASKS: Readonly<Record<string, { longestMs?: number }>> };
  for (const name of ['bench', 'test:faults']) expect(TASKS[name]?.longestMs, name).toBeLessThan(20 * 60_000);
});

it.runIf(linux)('a task that takes no notice of that is killed', async () => {
  const deaf = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)`;
  const { code, said } = await outcomeOf(deaf, { longestMs: LONGEST_MS, graceMs: GRACE_MS });
  expect(code).toBe(1);
  expect(said).toMatch(/the task was stopped/);
});

it.runIf(linux)('a task that ends in time has its own exit code, and leaves nothing running', async () => {
  const { code, said } = await outcomeOf('setInterval(() => started() && process.exit(3), 5)', { longestMs: 60_000 });
  expect(code).toBe(3);
  expect(said).toBe('');
});
