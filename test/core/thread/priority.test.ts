import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { scratchFolder } from '../../support/relay.ts';
import { SOURCE_ARGUMENTS } from '../../support/source.ts';

const CORE = join(import.meta.dirname, '../../../packages/core/src/index.ts');

/** Sends signed mail in a process of its own; answers the nice values of its threads, by their names. */
async function niceValues(): Promise<Record<string, number[]>> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const program = `
    import { readdirSync, readFileSync } from 'node:fs';
    const { createMailRelay, capture } = await import(${JSON.stringify(CORE)});
    const relay = createMailRelay({
      store: ':memory:',
      secret: 'a secret of enough length',
      from: 'news@example.com',
      routes: [capture({ concurrency: 20 })],
      dkim: { keys: [{ domain: 'example.com', selector: 's', privateKey: ${JSON.stringify(pem)} }] },
    });
    await relay.start();
    await relay.sendMany(Array.from({ length: 200 }, (_, index) => \`r\${index}@example.com\`), { campaign: 'c', subject: 'Hi', text: 'Hi' });
    while ((await relay.reports.campaign('c')).pending > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const values = {};
    for (const thread of readdirSync('/proc/self/task')) {
      const [, name, rest] = /\\((.*)\\) (.*)/.exec(readFileSync(\`/proc/self/task/\${thread}/stat\`, 'utf8'));
      (values[name] ??= []).push(Number(rest.split(' ')[16]));
    }
    console.log(JSON.stringify(values));
    await relay.stop();`;
  const file = join(scratchFolder(), 'signs.mjs');
  writeFileSync(file, program);
  const { stdout } = await promisify(execFile)(process.execPath, [...SOURCE_ARGUMENTS, file]);
  return JSON.parse(stdout);
}

/** See proc(5): the names of threads are cut after 15 characters. */
it.skipIf(process.platform !== 'linux')(
  'the host goes before the engine, and the engine before signatures',
  async () => {
    const own = Number((await promisify(execFile)('nice')).stdout);
    const values = await niceValues();
    expect(values).toMatchObject({ MainThread: [own], 'mail-relay': [Math.max(own, 5)] });
    expect(new Set(values['mail-relay-dkim'])).toEqual(new Set([Math.max(own, 15)]));
    // They collect the engine's garbage, on two cores as much as a fifth of its time.
    expect(new Set(values.V8Worker)).toEqual(new Set([Math.max(own, 7)]));
    // Its files and names are looked up by a pool of Node, which takes after the thread that is the first to use it.
    expect(new Set(values['libuv-worker'])).toEqual(new Set([own]));
  },
);
