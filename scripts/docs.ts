/**
 * Writes the pages of docs/ that come from the code: configuration.md from the TSDoc of the options, errors.md from the
 * table of errors. `--check` writes nothing and fails where a page differs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationPage } from './docs/configuration.ts';
import { errorsPage } from './docs/errors.ts';

const ROOT = join(import.meta.dirname, '..');

/** The generated pages, by path. */
export function generatedPages(): ReadonlyMap<string, string> {
  const source = (path: string): string => readFileSync(join(ROOT, 'packages/core/src', path), 'utf8');
  return new Map([
    ['docs/configuration.md', configurationPage(source)],
    ['docs/errors.md', errorsPage()],
  ]);
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
