/**
 * Writes the pages of docs/ that come from the code: configuration.md from the TSDoc of the options, errors.md from the
 * table of errors. `--check` writes nothing and fails where a page differs.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationPage } from './docs/configuration.ts';
import { errorsPage } from './docs/errors.ts';

const ROOT = join(import.meta.dirname, '..');

/** The generated pages, by path. */
export function generatedPages(): ReadonlyMap<string, string> {
  const source = (path: string): string => readFileSync(join(ROOT, 'packages/core/src', path), 'utf8');
  return new Map([
    ['docs/configuration.md', formatted('docs/configuration.md', configurationPage(source))],
    ['docs/errors.md', formatted('docs/errors.md', errorsPage())],
  ]);
}

/** As the formatter of the repository writes it. */
function formatted(path: string, text: string): string {
  const biome = join(ROOT, 'node_modules/.bin/biome');
  const { status, stdout, stderr } = spawnSync(biome, ['format', `--stdin-file-path=${path}`], {
    cwd: ROOT,
    input: text,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`biome cannot format ${path}: ${stderr}`);
  return stdout;
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  for (const [path, text] of generatedPages()) {
    const file = join(ROOT, path);
    if (!check) writeFileSync(file, text);
    else if (readFileSync(file, 'utf8') !== text) {
      console.error(`${path} is older than the code: run node scripts/docs.ts`);
      process.exitCode = 1;
    }
  }
}
