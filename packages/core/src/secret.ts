import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from './folder.ts';
import type { ResolvedOptions } from './options.ts';

/**
 * The secrets that links are signed with. Development makes one at random and keeps it beside the database, so that links
 * of yesterday still work; with `:memory:` it lasts as long as the process.
 */
export function signingSecrets(options: Pick<ResolvedOptions, 'secrets' | 'store'>): readonly string[] {
  if (options.secrets.length > 0) return options.secrets;
  const fresh = randomBytes(32).toString('base64url');
  if (options.store.path === ':memory:') return [fresh];
  const folder = dirname(options.store.path);
  const file = join(folder, 'development-secret');
  try {
    // A folder of our own holds a secret and mail: neither belongs into a repository.
    if (makeFolder(folder)) writeFileSync(join(folder, '.gitignore'), '*\n');
    // Exclusive, so that of several processes that start at once one wins and the others read.
    writeFileSync(file, fresh, { flag: 'wx', mode: 0o600 });
    return [fresh];
  } catch {
    // Somebody else made it, or the folder cannot be written: then the start of the store says so.
    return [keptSecret(file) ?? fresh];
  }
}

function keptSecret(file: string): string | undefined {
  try {
    const kept = readFileSync(file, 'utf8').trim();
    return kept.length >= 16 ? kept : undefined;
  } catch {
    return undefined;
  }
}
