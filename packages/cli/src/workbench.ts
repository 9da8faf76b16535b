import { watch } from 'node:fs';
import { compileFolder, type FolderTemplate } from '@mailrelay/core/templates';
import { CommandError } from './command-error.ts';
import { createRenderer, problemOf, type Renderer } from './renderer.ts';
import { type Sample, samplesOf } from './samples.ts';

/** The templates as they are now. */
export interface Shown {
  readonly templates: readonly FolderTemplate[];
  readonly samples: ReadonlyMap<string, Sample>;
  readonly renderer: Renderer;
  /** Grows with each change. */
  readonly version: number;
  /** Why the templates could not be compiled; those shown are from before. */
  readonly fault: string | undefined;
}

/** Templates that somebody is writing. */
export interface Workbench {
  readonly shown: Shown;
  /** Calls after each change. Answers a function that stops it. */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}

/** Editors write a file in several steps, ms. */
const QUIET_MS = 50;

/** Compiles a folder, and again whenever something in it changes. */
export async function openWorkbench(folder: string, data: string | undefined): Promise<Workbench> {
  const listeners = new Set<() => void>();
  let shown = await read(undefined);
  let timer: NodeJS.Timeout | undefined;
  let reading: Promise<void> = Promise.resolve();

  /** @throws MailRelayError where there is nothing to show yet */
  async function read(before: Shown | undefined): Promise<Shown> {
    try {
      const templates = await compileFolder(folder);
      const samples = await samplesOf(templates, folder, data);
      return {
        templates,
        samples,
        renderer: createRenderer(templates),
        version: versionAfter(before),
        fault: undefined,
      };
    } catch (error) {
      if (before === undefined) throw error;
      // Sample data may be half written, too.
      return {
        ...before,
        version: versionAfter(before),
        fault: error instanceof CommandError ? error.message : problemOf(error),
      };
    }
  }

  async function reload(): Promise<void> {
    const before = shown;
    shown = await read(before);
    if (shown.renderer !== before.renderer) await before.renderer.close();
    for (const listener of listeners) listener();
  }

  const watcher = watch(folder, { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      reading = reading.then(reload);
    }, QUIET_MS);
  });

  return {
    get shown() {
      return shown;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      clearTimeout(timer);
      watcher.close();
      await reading;
      await shown.renderer.close();
    },
  };
}

function versionAfter(before: Shown | undefined): number {
  return (before?.version ?? 0) + 1;
}
