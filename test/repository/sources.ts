import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parseSync } from 'vite';

/** The repository's root; files are named relative to it, with `/`. */
const ROOT: string = resolve(import.meta.dirname, '../..');

const IGNORED = new Set(['node_modules', 'dist', 'coverage', '.git', '.tools', '.mail-relay']);

/** What other tests write, and take away while these read. */
const PASSING = /^(host-\d+\.mjs|\.built-.*)$/;

/** One import or re-export; `to` is a file of the repository when the specifier is relative, else the specifier. */
export interface Import {
  from: string;
  to: string;
  relative: boolean;
  typeOnly: boolean;
}

/** Every file and folder below a folder, without what is installed, generated, or there for a moment only. */
export function walk(folder: string): { files: string[]; folders: string[] } {
  const found = { files: [] as string[], folders: [] as string[] };
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    if (IGNORED.has(entry.name) || PASSING.test(entry.name)) continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (!entry.isDirectory()) {
      found.files.push(path);
      continue;
    }
    found.folders.push(path);
    const below = walk(path);
    found.files.push(...below.files);
    found.folders.push(...below.folders);
  }
  return found;
}

export function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** The imports of a source text as the parser sees them: static, re-exported and dynamic. */
export function importsOf(file: string, source: string = read(file)): Import[] {
  const { module, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const typeOnly = (entries: { isType: boolean }[]): boolean => entries.length > 0 && entries.every((e) => e.isType);
  const imports = module.staticImports.map((statement) =>
    toImport(file, statement.moduleRequest.value, typeOnly(statement.entries)),
  );
  for (const { entries } of module.staticExports) {
    const target = entries.find((entry) => entry.moduleRequest)?.moduleRequest?.value;
    if (target !== undefined) imports.push(toImport(file, target, typeOnly(entries)));
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const target = /^(['"`])(.*)\1$/.exec(source.slice(moduleRequest.start, moduleRequest.end))?.[2];
    if (target !== undefined) imports.push(toImport(file, target, false));
  }
  return imports;
}

function toImport(from: string, specifier: string, typeOnly: boolean): Import {
  if (!specifier.startsWith('.')) return { from, to: specifier, relative: false, typeOnly };
  const to = relative(ROOT, resolve(ROOT, dirname(from), specifier))
    .split(sep)
    .join('/');
  return { from, to, relative: true, typeOnly };
}

/** The groups of files that import each other in a circle by value: strongly connected components with more than one file. */
export function cycles(imports: Import[]): string[][] {
  const graph = new Map<string, string[]>();
  for (const { from, to, typeOnly } of imports) {
    if (!typeOnly) graph.set(from, [...(graph.get(from) ?? []), to]);
  }
  const reach = new Map([...graph.keys()].map((file) => [file, reachable(graph, file)]));
  const groups = new Set<string>();
  for (const [file, targets] of reach) {
    if (!targets.has(file)) continue;
    groups.add(
      [...targets]
        .filter((target) => reach.get(target)?.has(file))
        .sort()
        .join(' '),
    );
  }
  return [...groups].map((group) => group.split(' '));
}

function reachable(graph: Map<string, string[]>, start: string): Set<string> {
  const seen = new Set<string>();
  const open = [...(graph.get(start) ?? [])];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    open.push(...(graph.get(file) ?? []));
  }
  return seen;
}
