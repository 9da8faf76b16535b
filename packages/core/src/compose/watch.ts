import { existsSync, type FSWatcher, watch } from 'node:fs';

/** Changes come in groups: an editor writes, renames and removes. */
const DEBOUNCE_MS = 100;
/** How often a folder that is gone is looked for. */
const GONE_MS = 500;

/** Calls after something below a folder has changed, also when the folder is removed and made again. */
export function watchFolder(folder: string, onChange: () => void): { close(): void } {
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  let gone = false;
  let closed = false;

  function soon(ms: number): void {
    if (closed) return;
    clearTimeout(timer);
    timer = setTimeout(look, ms);
    timer.unref();
  }

  /** A folder of the same name may be another one by now, which the watcher before does not see. */
  function attach(): void {
    watcher?.close();
    watcher = undefined;
    // A recursive watcher says nothing about a folder that is not there.
    if (!existsSync(folder)) return;
    try {
      watcher = watch(folder, { recursive: true, persistent: false }, () => soon(DEBOUNCE_MS));
      watcher.on('error', () => soon(DEBOUNCE_MS));
    } catch {
      // It went away just now.
    }
  }

  function look(): void {
    attach();
    const wasGone = gone;
    gone = watcher === undefined;
    if (!(gone && wasGone)) onChange();
    if (gone) soon(GONE_MS);
  }

  attach();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      watcher?.close();
    },
  };
}
