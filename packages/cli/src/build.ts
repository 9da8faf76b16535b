import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { compileFolder, type FolderTemplate } from '@mailrelay/core/templates';
import type { Terminal } from './index.ts';
import { shapeOf, typeOf } from './shape.ts';

/** Compiles a folder into one module. */
export async function build(
  { folder, out, check }: { readonly folder: string; readonly out: string; readonly check: boolean },
  { print, complain }: Pick<Terminal, 'print' | 'complain'>,
): Promise<number> {
  const templates = await compileFolder(folder);
  const text = moduleOf(templates);
  const before = await readFile(out, 'utf8').catch(() => undefined);
  if (check && before !== text) {
    complain(`${out} is older than the templates in ${folder}: run mailrelay templates build ${folder} --out ${out}`);
    return 1;
  }
  if (before !== text) {
    await makeFolder(dirname(resolve(out)));
    await writeFile(out, text);
  }
  print(`${out} has ${templates.length} ${templates.length === 1 ? 'template' : 'templates'}`);
  return 0;
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
    throw new Error(`two templates would be called ${twice[1]} in the module: rename ${twice[0]}`);
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
  const [first = '', ...rest] = name.split(/[^A-Za-z0-9]+/).filter(Boolean);
  const id = [first, ...rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join('');
  const lower = id.charAt(0).toLowerCase() + id.slice(1);
  return /^[a-z]/.test(lower) && !RESERVED.has(lower) ? lower : `${lower.replace(/^\d/, '_$&')}Template`;
}

const RESERVED: ReadonlySet<string> = new Set(
  'break case catch class const continue debugger default delete do else enum export extends false finally for function if import in instanceof new null return super switch this throw true try typeof var void while with let static yield await package private protected public interface implements templates'.split(
    ' ',
  ),
);
