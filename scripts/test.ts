// Everything that must pass before a change lands. Every check runs, also after one has failed; the last line counts them.
// `npm test -- lint vitest` runs some of them only.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Count {
  passed: number;
  failed: number;
  skipped: number;
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

const CHECKS: Record<string, () => Count> = {
  lint: () => command('biome', ['ci', '--colors=off']),
  types: () => command('tsc', ['-b', 'test', 'test/core/types/merged']),
  knip: () => command('knip', []),
  vitest,
  packages: () => command('node', ['scripts/check-packages.ts']),
};

process.exitCode = main(process.argv.slice(2));

function main(chosen: string[]): number {
  const unknown = chosen.filter((name) => !(name in CHECKS));
  if (unknown.length > 0) {
    console.error(`No such check: ${unknown.join(', ')}. Checks: ${Object.keys(CHECKS).join(', ')}.`);
    return 1;
  }
  const names = chosen.length > 0 ? chosen : Object.keys(CHECKS);
  const rows = names.map((name) => timed(name, CHECKS[name] ?? vitest));

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

function timed(name: string, check: () => Count): { name: string; count: Count; seconds: string } {
  console.log(`\n== ${name}`);
  const startedAt = performance.now();
  const count = check();
  return { name, count, seconds: ((performance.now() - startedAt) / 1000).toFixed(1) };
}

function command(file: string, args: string[]): Count {
  const ok = run(file, args);
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
}

function vitest(): Count {
  const folder = mkdtempSync(join(tmpdir(), 'mail-relay-test-'));
  const file = join(folder, 'vitest.json');
  try {
    const ok = run('vitest', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]);
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

function run(file: string, args: string[]): boolean {
  const result = spawnSync(file, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (result.error) console.error(`${file} did not start: ${result.error.message}`);
  return result.status === 0;
}
