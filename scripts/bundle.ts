// Packs the programs of the core into few files: a host that imports it waits for about ten of them instead of two hundred.
// The declarations beside them are the compiler's, one for each source.
import { globSync, rmSync, statSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const CORE = join(dirname(dirname(fileURLToPath(import.meta.url))), 'packages/core');
const DIST = join(CORE, 'dist');

/** What has a file of its own: what the package exports, and what its threads run. All lie beside the chunks that start them. */
const ENTRIES = {
  index: 'src/index.ts',
  node: 'src/node/index.ts',
  testing: 'src/testing/index.ts',
  templates: 'src/compose/index.ts',
  worker: 'src/thread/worker.ts',
  'mjml-worker': 'src/compose/mjml-worker.ts',
  'rsa-thread': 'src/compose/dkim/rsa-thread.ts',
};

if (isStale()) await bundle();

async function bundle(): Promise<void> {
  for (const file of globSync('**/*.js{,.map}', { cwd: DIST })) rmSync(join(DIST, file));
  const build = await rolldown({
    cwd: CORE,
    input: ENTRIES,
    platform: 'node',
    external: (id) => !/^[./]|^[A-Za-z]:\\/.test(id) && !id.startsWith('src/'),
  });
  await build.write({ dir: DIST, format: 'esm', sourcemap: true, chunkFileNames: '[name]-[hash].js' });
  await build.close();
  const now = new Date();
  utimesSync(join(DIST, 'index.js'), now, now);
}

/** Whether a source, or this program, is newer than what was packed from them. */
function isStale(): boolean {
  const packed = statSync(join(DIST, 'index.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = [fileURLToPath(import.meta.url), ...globSync(join(CORE, 'src/**/*.ts'))];
  return sources.some((file) => statSync(file).mtimeMs >= packed);
}
