import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { compileFolder, type FolderTemplate } from '@mailrelay/core/templates';
import { CommandError } from './command-error.ts';
import type { Terminal } from './index.ts';
import { needTemplates } from './samples.ts';
import { shapeOf, typeOf } from './shape.ts';

/** Compiles a folder into one module. */
export async function build(
  { folder, out, check }: { readonly folder: string; readonly out: string; readonly check: boolean },
  { print, complain }: Pick<Terminal, 'print' | 'complain'>,
): Promise<number> {
  if (!/(?<!\.d)\.[cm]?ts$/.test(out)) throw new CommandError(`${out} must end in .ts: the module has types`);
  const templates = needTemplates(await compileFolder(folder), folder);
  const text = moduleOf(templates);
  const before = await readFile(out, 'utf8').catch(() => undefined);
  if (check && before !== text) {
    complain(`${out} is older than the templates in ${folder}: run mailrelay templates build ${folder} --out ${out}`);
    return 1;
  }
  if (before !== text) {
    await write(out, text);
  }
  print(`${out} has ${templates.length} ${templates.length === 1 ? 'template' : 'templates'}`);
  return 0;
}

async function write(out: string, text: string): Promise<void> {
  try {
    await makeFolder(dirname(resolve(out)));
    await writeFile(out, text);
  } catch (error) {
    throw new CommandError(`${out} cannot be written: ${(error as Error).message}`, { cause: error });
  }
}

/** Step by step: Node's own recursive way never ends where nothing can be made, as in `/proc`. */
async function makeFolder(folder: string): Promise<void> {
  const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;
  const failure = await mkdir(folder).catch((error: unknown) => error);
  if (failure === undefined || codeOf(failure) === 'EEXIST') return;
  if (codeOf(failure) !== 'ENOENT') throw failure;
  await makeFolder(dirname(folder));
  await mkdir(folder);
}

/** The module: a constant and a type for each template, and all of them together. */
function moduleOf(templates: readonly FolderTemplate[]): string {
  const names = new Map(templates.map(({ name }) => [name, identifierOf(name)]));
  const twice = [...names].find(([name, id]) => [...names].some(([other, its]) => other !== name && its === id));
  if (twice !== undefined)
    throw new CommandError(`two templates would be called ${twice[1]} in the module: rename ${twice[0]}`);
  const parts = templates.map(({ name, compiled }) => {
    const id = names.get(name) as string;
    const texts = Object.values(compiled.locales).flatMap(({ subject, html, text }) => [subject, html, text]);
    const type = `${id.charAt(0).toUpperCase()}${id.slice(1)}Data`;
    const shape = shapeOf(texts);
    const data = shape.fields.size === 0 ? 'Record<string, never>' : typeOf(shape);
    return { name, id, type, data, compiled };
  });
  return `// Made by \`mailrelay templates build\` out of the template folder: do not edit.
/* eslint-disable */
import type { TemplateDefinition } from '@mailrelay/core';

${parts
  .map(
    ({ name, id, type, data, compiled }) => `/** Data of \`${name}\`. */
export type ${type} = ${data};

export const ${id}: TemplateDefinition<${JSON.stringify(name)}, ${type}> = {
  name: ${JSON.stringify(name)},
  compiled: ${JSON.stringify(compiled)},
};
`,
  )
  .join('\n')}
/** All of them, for the option \`templates\`. */
export const templates: readonly [${parts.map(({ id }) => `typeof ${id}`).join(', ')}] = [${parts.map(({ id }) => id).join(', ')}];

declare module '@mailrelay/core' {
  interface Templates {
${parts.map(({ name, type }) => `    ${JSON.stringify(name)}: ${type};`).join('\n')}
  }
}
`;
}

/** `account/password-reset` as `accountPasswordReset`. */
function identifierOf(name: string): string {
  const [first = '', ...rest] = name
    .normalize('NFC')
    .split(/(?:\P{ID_Continue}|_)+/u)
    .filter(Boolean);
  const id = [first, ...rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join('');
  const lower = id.charAt(0).toLowerCase() + id.slice(1);
  if (!/^\p{ID_Start}/u.test(lower)) return `_${lower}Template`;
  return RESERVED.has(lower) ? `${lower}Template` : lower;
}

const RESERVED: ReadonlySet<string> = new Set(
  'break case catch class const continue debugger default delete do else enum export extends false finally for function if import in instanceof new null return super switch this throw true try typeof var void while with let static yield await package private protected public interface implements templates arguments eval undefined'.split(
    ' ',
  ),
);
