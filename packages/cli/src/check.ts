import { compileFolder, type FolderTemplate } from '@mailrelay/core/templates';
import { isPrivateAddress } from './addresses.ts';
import type { AskOptions } from './ask.ts';
import { CommandError } from './command-error.ts';
import type { Terminal } from './index.ts';
import { askLinks, withoutFragment } from './links.ts';
import { type Link, nameOf, problemsOf, webLinksOf } from './problems.ts';
import { createRenderer, problemOf, type Renderer } from './renderer.ts';
import { loadByName, needTemplates, type Sample, samplesOf } from './samples.ts';

/** What to check, and with what. */
export interface CheckOptions {
  readonly folder: string;
  readonly data: string | undefined;
  readonly schemas: string | undefined;
  /** Asks links whether they answer; undefined asks nobody. */
  readonly online: OnlineOptions | undefined;
}

/** How links are asked. */
export interface OnlineOptions {
  /** Longest time for one request, ms. */
  readonly timeoutMs: number;
  /** Also asks private and loopback addresses. */
  readonly allowPrivate: boolean;
}

/** A template in one language, and what was found in it. */
interface Looked {
  readonly path: string;
  readonly problems: readonly string[];
  readonly links: readonly Link[];
}

/** The part of a Standard Schema that is called. */
interface Schema {
  readonly '~standard': {
    validate(value: unknown): Promise<SchemaResult> | SchemaResult;
  };
}

interface SchemaResult {
  readonly value?: unknown;
  readonly issues?: readonly { readonly message: string; readonly path?: readonly unknown[] }[] | undefined;
}

/** Renders every template in every language, and looks at what comes of it. */
export async function check(options: CheckOptions, { print }: Pick<Terminal, 'print'>): Promise<number> {
  const { folder, data, online } = options;
  const templates = needTemplates(await compileFolder(folder), folder);
  const samples = await samplesOf(templates, folder, data);
  const looked = await lookAtAll(templates, samples, options);
  const links = looked.flatMap((one) => one.links.map(({ href }) => href));
  const dead = online === undefined ? new Map<string, string>() : await askLinks(links, asking(online));
  let found = 0;
  for (const one of looked) {
    const problems = [...one.problems, ...deadLinksOf(one, dead)];
    found += problems.length;
    for (const problem of problems) print(`${one.path}: ${problem}`);
  }
  for (const [name, { given }] of samples) if (!given) print(`${name}: no sample data; checked with values made up`);
  print(found === 0 ? `${looked.length} checked, nothing wrong` : `${looked.length} checked, ${found} wrong`);
  return found === 0 ? 0 : 1;
}

async function lookAtAll(
  templates: readonly FolderTemplate[],
  samples: ReadonlyMap<string, Sample>,
  { schemas, online }: CheckOptions,
): Promise<readonly Looked[]> {
  const shapes = schemas === undefined ? {} : await schemasOf(schemas);
  const renderer = createRenderer(templates);
  const looked: Looked[] = [];
  try {
    for (const { name, compiled } of templates) {
      const { value, issues } = await validated(shapes[name], samples.get(name)?.data ?? {});
      for (const [locale, { path }] of Object.entries(compiled.locales)) {
        const { problems, links } = await lookAt(renderer, { name, locale, data: value, online });
        looked.push({ path, problems: [...issues, ...problems], links });
      }
    }
  } finally {
    await renderer.close();
  }
  return looked;
}

async function schemasOf(file: string): Promise<Readonly<Record<string, Schema>>> {
  const loaded = (await loadByName(file)) as Readonly<Record<string, Schema>>;
  for (const [name, schema] of Object.entries(loaded))
    if (typeof Object(Object(schema)['~standard']).validate !== 'function')
      throw new CommandError(`${file}: what it has for ${name} is no Standard Schema`);
  return loaded;
}

function asking({ timeoutMs, allowPrivate }: OnlineOptions): AskOptions {
  return { timeoutMs, refuses: (address) => !allowPrivate && isPrivateAddress(address) };
}

/** Once for each link, however often a mail has it. */
function deadLinksOf({ links }: Looked, dead: ReadonlyMap<string, string>): readonly string[] {
  const said = links.flatMap((link) => {
    const problem = dead.get(withoutFragment(link.href));
    return problem === undefined ? [] : [`${nameOf(link)} ${problem}: ${link.href}`];
  });
  return [...new Set(said)];
}

/** What the schema makes of the sample: what it leaves out, the template cannot show. */
async function validated(
  schema: Schema | undefined,
  data: object,
): Promise<{ readonly value: object; readonly issues: readonly string[] }> {
  if (schema === undefined) return { value: data, issues: [] };
  const { value, issues } = await schema['~standard'].validate(data);
  if (issues === undefined) return { value: Object(value) as object, issues: [] };
  const said = issues.map(({ message, path = [] }) =>
    [path.map((part) => String(Object(part).key ?? part)).join('.'), message].filter(Boolean).join(': '),
  );
  return { value: data, issues: said.map((one) => `its sample data does not fit its schema: ${one}`) };
}

async function lookAt(
  renderer: Renderer,
  wanted: Pick<CheckOptions, 'online'> & { readonly name: string; readonly locale: string; readonly data: object },
): Promise<Pick<Looked, 'problems' | 'links'>> {
  const allowPrivate = wanted.online?.allowPrivate ?? false;
  try {
    const mail = await renderer.render(wanted.name, wanted.locale, wanted.data);
    return { problems: problemsOf(mail, allowPrivate), links: webLinksOf(mail, allowPrivate) };
  } catch (error) {
    return { problems: [problemOf(error)], links: [] };
  }
}
