// Everything that must pass before a change lands. Every check runs, also after one has failed; the last line counts them.
// `npm test -- lint vitest` runs some of them only.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

interface Row {
  name: string;
  count: Count;
  seconds: string;
}

/** The parts of vitest's JSON report that are counted. */
interface VitestReport {
  success: boolean;
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { name: string; status: string; assertionResults: { status: string }[] }[];
}

const CHECKS: Record<string, () => Promise<Count>> = {
  lint: () => quietly('biome', ['ci', '--colors=off']),
  types: () => quietly('tsc', ['-b', 'test', 'test/core/types/merged']),
  knip: () => quietly('knip', []),
  vitest,
  packages: async () => countOne(await run('node', ['scripts/check-packages.ts'])),
};

/** These go at once, and print what they have to say when they end; the others one after another. */
const TOGETHER = ['lint', 'types', 'knip'];

process.exitCode = await main(process.argv.slice(2));

async function main(chosen: string[]): Promise<number> {
  const unknown = chosen.filter((name) => !(name in CHECKS));
  if (unknown.length > 0) {
    console.error(`No such check: ${unknown.join(', ')}. Checks: ${Object.keys(CHECKS).join(', ')}.`);
    return 1;
  }
  const names = chosen.length > 0 ? chosen : Object.keys(CHECKS);
  const rows = await Promise.all(names.filter((name) => TOGETHER.includes(name)).map(timed));
  for (const name of names.filter((name) => !TOGETHER.includes(name))) rows.push(await timed(name));
  return summarize(rows);
}

function summarize(rows: readonly Row[]): number {
  console.log('\nSummary');
  for (const { name, count, seconds } of rows) {
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
    const verdict = count.failed > 0 ? 'FAILED' : 'ok';
    console.log(
      `  ${name.padEnd(10)} ${verdict.padEnd(7)} ${count.passed} passed, ${count.failed} failed${skipped} (${seconds} s)`,
    );
  }
  const passed = rows.reduce((sum, row) => sum + row.count.passed, 0);
  const failed = rows.reduce((sum, row) => sum + row.count.failed, 0);
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

async function timed(name: string): Promise<Row> {
  if (!TOGETHER.includes(name)) console.log(`\n== ${name}`);
  const startedAt = performance.now();
  const count = await (CHECKS[name] ?? vitest)();
  return { name, count, seconds: ((performance.now() - startedAt) / 1000).toFixed(1) };
}

async function vitest(): Promise<Count> {
  const folder = mkdtempSync(join(tmpdir(), 'mail-relay-test-'));
  const file = join(folder, 'vitest.json');
  try {
    const ok = await run('vitest', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]);
    return countTests(JSON.parse(readFileSync(file, 'utf8')) as VitestReport, ok);
  } catch (error) {
    console.error('vitest left no report:', error);
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that does not load, an unhandled error and a run without any test count as one failure each. */
function countTests(report: VitestReport, exitedWell: boolean): Count {
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const failed = report.numFailedTests + broken.length;
  const silent = failed === 0 && (!exitedWell || report.numPassedTests === 0) ? 1 : 0;
  const skipped = report.numPendingTests + report.numTodoTests;
  return { passed: report.numPassedTests, failed: failed + silent, skipped };
}

function countOne(ok: boolean): Count {
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
}

/** Runs a command beside others: what it prints comes in one piece. */
async function quietly(file: string, args: string[]): Promise<Count> {
  const printed: Buffer[] = [];
  const ok = await run(file, args, printed);
  console.log(`\n== ${file}\n${Buffer.concat(printed)}`);
  return countOne(ok);
}

function run(file: string, args: string[], printed?: Buffer[]): Promise<boolean> {
  const output = printed ? 'pipe' : 'inherit';
  const child = spawn(file, args, { stdio: ['ignore', output, output], shell: process.platform === 'win32' });
  child.stdout?.on('data', (chunk: Buffer) => printed?.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => printed?.push(chunk));
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`${file} did not start: ${error.message}`);
      resolve(false);
    });
    child.once('close', (code) => resolve(code === 0));
  });
}
