import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and what is missing above it, for this user alone. Step by step: Node's own recursive way never ends where
 * the system says "no such file" of a folder that is there, as `/proc` does.
 *
 * @returns whether the folder is new
 */
export function makeFolder(path: string): boolean {
  const missing: string[] = [];
  let folder = resolve(path);
  while (statSync(folder, { throwIfNoEntry: false }) === undefined && dirname(folder) !== folder) {
    missing.push(folder);
    folder = dirname(folder);
  }
  for (const one of missing.reverse()) makeOne(one);
  return missing.length > 0;
}

function makeOne(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process, which starts at the same time, was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
