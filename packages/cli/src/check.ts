import { compileFolder } from '@mailrelay/core/templates';
import type { Terminal } from './index.ts';
import { deadLinks, problemsOf } from './problems.ts';
import { createRenderer, problemOf, type Renderer } from './renderer.ts';
import { load, samplesOf } from './samples.ts';

/** What to check, and with what. */
export interface CheckOptions {
  readonly folder: string;
  readonly data: string | undefined;
  readonly schemas: string | undefined;
  readonly online: boolean;
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
export async function check(
  { folder, data, schemas, online }: CheckOptions,
  { print }: Pick<Terminal, 'print'>,
): Promise<number> {
  const templates = await compileFolder(folder);
  const samples = await samplesOf(templates, folder, data);
  const shapes = schemas === undefined ? {} : ((await load(schemas)) as Readonly<Record<string, Schema>>);
  const renderer = createRenderer(templates);
  let found = 0;
  let looked = 0;
  try {
    for (const { name, compiled } of templates) {
      const sample = samples.get(name) ?? { data: {}, given: false };
      const { value, issues } = await validated(shapes[name], sample.data);
      for (const [locale, { path }] of Object.entries(compiled.locales)) {
        looked += 1;
        const problems = [...issues, ...(await lookAt(renderer, { name, locale, data: value, online }))];
        found += problems.length;
        for (const problem of problems) print(`${path}: ${problem}`);
      }
      if (!sample.given) print(`${name}: no sample data; checked with values made up`);
    }
  } finally {
    await renderer.close();
  }
  print(found === 0 ? `${looked} checked, nothing wrong` : `${looked} checked, ${found} wrong`);
  return found === 0 ? 0 : 1;
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
  wanted: { readonly name: string; readonly locale: string; readonly data: object; readonly online: boolean },
): Promise<readonly string[]> {
  try {
    const mail = await renderer.render(wanted.name, wanted.locale, wanted.data);
    return [...problemsOf(mail), ...(wanted.online ? await deadLinks(mail) : [])];
  } catch (error) {
    return [problemOf(error)];
  }
}
