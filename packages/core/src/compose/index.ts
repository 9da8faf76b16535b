/** Compiles a template folder ahead of time: what `mailrelay templates build` writes into a module. */
import { relative, resolve, sep } from 'node:path';
import type { CompiledTemplate } from '../template.ts';
import { compileTemplates } from './bundle.ts';
import { readFolder } from './sources.ts';

/** A template of a folder, compiled. */
export interface FolderTemplate {
  readonly name: string;
  readonly compiled: CompiledTemplate;
}

const NO_BLOBS = { get: async () => undefined, put: async () => {} };

/**
 * Reads and compiles a template folder. The relay takes what comes of it as `compiled` of a template, without MJML.
 *
 * @throws MailRelayError `TEMPLATE_FOLDER_MISSING`, or `TEMPLATE_INVALID` with file and line
 */
export async function compileFolder(folder: string): Promise<FolderTemplate[]> {
  const sources = readFolder(folder);
  const bundles = await compileTemplates(sources, NO_BLOBS);
  const nameOf = (path: string): string => relative(resolve(folder), path).split(sep).join('/');
  return sources
    .map(({ name, hash }) => {
      const entries = Object.entries(bundles.get(hash)?.locales ?? {}).map(([locale, { passages: _, ...compiled }]) => [
        locale,
        { ...compiled, path: nameOf(compiled.path) },
      ]);
      return { name, compiled: { version: hash, locales: Object.fromEntries(entries) as CompiledTemplate['locales'] } };
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}
