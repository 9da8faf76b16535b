import { execFile } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { makeFolder } from '../../../packages/core/src/folder.ts';
import { scratchFolder } from '../../support/relay.ts';
import { SOURCE_ARGUMENTS } from '../../support/source.ts';

const run = promisify(execFile);

/** Starts a relay in a process of its own, as what never ends would keep this one; answers the code of the error. */
async function startOn(store: string, secret?: string): Promise<string> {
  const options = JSON.stringify({ store, secret, thread: false, from: 'app@example.com' });
  const program = `
    import { createMailRelay } from ${JSON.stringify(join(import.meta.dirname, '../../../packages/core/src/index.ts'))};
    try { await createMailRelay(${options}).start(); console.log('started'); process.exit(); }
    catch (error) { console.log(error.code); }`;
  const args = [...SOURCE_ARGUMENTS, '--input-type=module', '--eval', program];
  const { stdout } = await run(process.execPath, args, { timeout: 20_000 });
  return stdout.trim();
}

describe('a store in a place where no folder can be made', () => {
  it.skipIf(process.platform !== 'linux').each([
    ['a secret that is given', 'a secret of enough length'],
    ['a secret that development makes', undefined],
  ])('is an error at once, with %s', async (_, secret) => {
    expect(await startOn('/proc/mail-relay/deep/relay.db', secret)).toBe('STORE_UNAVAILABLE');
  });

  it('below a file is an error', async () => {
    const file = join(scratchFolder(), 'file');
    writeFileSync(file, '');
    expect(await startOn(join(file, 'deep/relay.db'))).toBe('STORE_UNAVAILABLE');
  });
});

it('a folder is made with all above it, for this user alone, and made once', () => {
  const root = scratchFolder();
  const deep = join(root, 'a/b/c');
  expect([makeFolder(deep), makeFolder(deep), existsSync(deep)]).toEqual([true, false, true]);
  if (process.platform !== 'win32') expect(statSync(join(root, 'a')).mode & 0o777).toBe(0o700);
});
