import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { SOURCE_ARGUMENTS } from '../support/source.ts';

const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

it('sends its newsletter to the first 120 lines of its list, and every figure is the one that the world saw', async () => {
  const demo = join(ROOT, 'examples/express-newsletter/demo.ts');
  const args = [...SOURCE_ARGUMENTS, demo, '--count', '120', '--rate', '60'];
  const { stdout } = await run(join(ROOT, 'node_modules/.bin/node'), args, { timeout: 90_000 });
  expect(stdout).toMatch(/All \d+ checks hold/);
  expect(stdout).not.toContain('✗');
  expect(stdout).toMatch(/line\s+37 {2}marie\.dupont@ .*ADDRESS_INVALID/);
});
