import { readdirSync, readFileSync } from 'node:fs';

/**
 * Ids of the processes of this machine that have a text in their arguments or in the environment that they were started with.
 * Linux only; those of other users are not seen, nor is what has ended.
 */
export function processesWith(text: string): number[] {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return ids
    .filter((id) => ['cmdline', 'environ'].some((file) => contentOf(`/proc/${id}/${file}`).includes(text)))
    .map(Number);
}

/** What a process is called, at most 15 characters; empty where it is gone. Linux only. */
export function nameOf(id: number): string {
  return contentOf(`/proc/${id}/comm`).trim();
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It is gone, or somebody else's.
    return '';
  }
}
