import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FolderTemplate } from '@mailrelay/core/templates';
import { CommandError } from './command-error.ts';
import { sampleOf, shapeOf } from './shape.ts';

/** Data to render a template with. */
export interface Sample {
  readonly data: Readonly<Record<string, unknown>>;
  /** Somebody wrote it, or the template needs none; else it was made from what the template asks for. */
  readonly given: boolean;
}

/** Sample data: from a file for all templates, or from `welcome.data.json` beside `welcome.mjml`. */
export async function samplesOf(
  templates: readonly FolderTemplate[],
  folder: string,
  file: string | undefined,
): Promise<ReadonlyMap<string, Sample>> {
  const shared = file === undefined ? {} : ((await loadByName(file)) as Record<string, Sample['data'] | undefined>);
  const samples = new Map<string, Sample>();
  for (const { name, compiled } of templates) {
    const beside = join(folder, `${name}.data.json`);
    const own = shared[name] ?? (existsSync(beside) ? ((await load(beside)) as Sample['data']) : undefined);
    const texts = Object.values(compiled.locales).flatMap(({ subject, html, text }) => [subject, html, text]);
    const shape = shapeOf(texts);
    const made = (): Sample['data'] => (shape.fields.size === 0 ? {} : (sampleOf(shape) as Sample['data']));
    samples.set(
      name,
      own === undefined ? { data: made(), given: shape.fields.size === 0 } : { data: own, given: true },
    );
  }
  return samples;
}

/**
 * A folder without a template is one that was mistyped.
 *
 * @throws CommandError
 */
export function needTemplates(templates: readonly FolderTemplate[], folder: string): readonly FolderTemplate[] {
  if (templates.length > 0) return templates;
  throw new CommandError(`${folder} has no template: they end in .mjml, .html or .hbs`);
}

/** By template name. @throws CommandError where the file has something else */
export async function loadByName(file: string): Promise<Readonly<Record<string, unknown>>> {
  const loaded = await load(file);
  if (typeof loaded === 'object' && loaded !== null && !Array.isArray(loaded))
    return loaded as Readonly<Record<string, unknown>>;
  throw new CommandError(`${file} must have an object whose keys are the names of templates`);
}

/**
 * JSON, or the default export of a module.
 *
 * @throws CommandError where the file cannot be read
 */
async function load(file: string): Promise<unknown> {
  try {
    if (file.endsWith('.json')) return JSON.parse(await readFile(file, 'utf8')) as unknown;
    const module = (await import(pathToFileURL(resolve(file)).href)) as { readonly default?: unknown };
    return module.default ?? module;
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
