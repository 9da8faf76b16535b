// Compiles the shop, copies its templates as nest-cli.json says, and starts it: what `nest start` does, without its dependencies.
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

process.chdir(import.meta.dirname);
rmSync('dist', { recursive: true, force: true });
const require = createRequire(import.meta.url);
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.json'], { stdio: 'inherit' });
if (status !== 0) process.exit(1);
for (const folder of globSync('src/**/emails')) cpSync(folder, folder.replace(/^src/, 'dist'), { recursive: true });
process.argv[1] = join(import.meta.dirname, 'dist/main.js');
await import('./dist/main.js');
