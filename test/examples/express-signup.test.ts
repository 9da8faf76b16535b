import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { SOURCE_ARGUMENTS } from '../support/source.ts';

const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

it('has a test suite of its own that passes, with nothing but the testing kit', async () => {
  const tests = join(ROOT, 'examples/express-signup/test/signup.test.ts');
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const args = [...SOURCE_ARGUMENTS, '--test', '--test-reporter=tap', tests];
  const { stdout } = await run(join(ROOT, 'node_modules/.bin/node'), args, { timeout: 90_000, env });
  expect(stdout).toMatch(/^# pass 4$/m);
  expect(stdout).toMatch(/^# fail 0$/m);
});
