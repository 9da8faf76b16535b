import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { SOURCE_ARGUMENTS } from '../support/source.ts';

const ROOT = join(import.meta.dirname, '../..');
const DEMO = join(ROOT, 'examples/express-newsletter/demo.ts');
const run = promisify(execFile);

it('sends its newsletter to the first 120 lines of its list, and every figure is the one that the world saw', async () => {
  const args = [...SOURCE_ARGUMENTS, DEMO, '--count', '120', '--rate', '60'];
  const { stdout } = await run(join(ROOT, 'node_modules/.bin/node'), args, { timeout: 90_000 });
  expect(stdout).toMatch(/All \d+ checks hold/);
  expect(stdout).not.toContain('✗');
  expect(stdout).toMatch(/line\s+37 {2}marie\.dupont@ .*ADDRESS_INVALID/);
});

/** Lets the relay report one mail more than it sent. */
const FALSIFIED = `
  import { registerHooks } from 'node:module';
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!url.endsWith('/express-newsletter/demo.ts')) return loaded;
      const [before, after, ...more] = String(loaded.source).split("await relay.reports.campaign('spring')");
      if (after === undefined || more.length > 0) throw new Error('the demo asks for its report in another way');
      const report = "{ ...(await relay.reports.campaign('spring')), sent: 13 }";
      return { ...loaded, source: before + report + after };
    },
  });`;

it('fails where one figure is not the one that the world saw', async () => {
  const falsify = `--import=data:text/javascript,${encodeURIComponent(FALSIFIED)}`;
  const args = [...SOURCE_ARGUMENTS, falsify, DEMO, '--count', '12', '--rate', '60'];
  const failed = await run(join(ROOT, 'node_modules/.bin/node'), args, { timeout: 90_000 }).catch((error) => error);
  expect(failed).toMatchObject({ code: 1, stdout: expect.stringContaining('✗ sent: 13, expected 12') });
});
