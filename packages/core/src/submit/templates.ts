import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { DeclaredTemplate } from '../compose/port.ts';
import { MailRelayError, messageOf } from '../errors.ts';
import type { Json, RenderedParts } from '../message.ts';
import { anyText, callable, check, group, type Rule, record, rule, text } from '../rules.ts';
import type { AnyTemplate, CompiledTemplate, CompiledText } from '../template.ts';
import { jsonOf } from './json.ts';
import { subjectOf } from './values.ts';

/** The host's side of a template: schema and function, which cannot cross into the engine's thread. */
export interface TemplateBook {
  declared(name: string): AnyTemplate | undefined;
  /** What the engine compiles. */
  readonly compiled: readonly DeclaredTemplate[];
  /**
   * Data after the schema, as JSON.
   * @throws MailRelayError `TEMPLATE_DATA_INVALID`, with the schema's issues.
   */
  data(
    template: string | AnyTemplate | undefined,
    data: object | undefined,
  ): Promise<Readonly<Record<string, Json>> | undefined>;
  /** Parts rendered by a function template; undefined for all others. */
  render(
    template: string | AnyTemplate | undefined,
    data: object | undefined,
    context: { readonly locale: string | undefined },
  ): Promise<RenderedParts | undefined>;
}

const COMPILED = group<CompiledText>(
  { path: anyText, subject: anyText, preheader: anyText, html: anyText, text: anyText },
  { needed: ['path', 'subject', 'html', 'text'] },
);
const FIELDS = group<AnyTemplate>(
  {
    name: text,
    schema: rule(isSchema, 'must be a Standard Schema (zod, valibot, arktype …)'),
    subject: anyText,
    mjml: text,
    html: text,
    text: anyText,
    compiled: group<CompiledTemplate>({ version: text, locales: record(COMPILED) }, { needed: ['version', 'locales'] }),
    render: callable,
  },
  { needed: ['name'] },
);

/** A template in code: its fields, and exactly one body. */
export const TEMPLATE: Rule = (value, place) =>
  FIELDS(value, place) ??
  rule(
    (template) =>
      ['mjml', 'html', 'compiled', 'render'].filter((body) => Object(template)[body] !== undefined).length === 1,
    'needs exactly one of mjml, html, compiled and render',
  )(value, place);

function isSchema(value: unknown): boolean {
  const schema = value as Partial<StandardSchemaV1> | null | undefined;
  return typeof schema?.['~standard']?.validate === 'function';
}

/**
 * @throws MailRelayError `OPTIONS_INVALID` where one is none, or two templates have one name.
 */
export function createTemplateBook(templates: readonly AnyTemplate[]): TemplateBook {
  const byName = new Map<string, AnyTemplate>();
  for (const [index, template] of templates.entries()) {
    check(TEMPLATE, template, `templates[${index}]`);
    if (byName.has(template.name))
      throw new MailRelayError('OPTIONS_INVALID', {
        option: 'templates',
        reason: `two templates have the name ${template.name}`,
      });
    byName.set(template.name, template);
  }
  const find = (template: string | AnyTemplate | undefined): AnyTemplate | undefined =>
    typeof template === 'string' ? byName.get(template) : template;

  return {
    declared: (name) => byName.get(name),
    compiled: templates.flatMap((template) => compiledForm(template)),
    async data(template, data) {
      const schema = find(template)?.schema;
      if (schema === undefined) return data === undefined ? undefined : jsonOf(data, 'data');
      const result = await validated(schema, data, find(template)?.name);
      if (result.issues !== undefined) {
        const issues = result.issues.map(({ message, path }) => ({ path: pathOf(path), message }));
        const reason = issues
          .map((issue) => (issue.path === '' ? issue.message : `${issue.path}: ${issue.message}`))
          .join('; ');
        throw new MailRelayError('TEMPLATE_DATA_INVALID', { template: find(template)?.name, issues, reason });
      }
      return jsonOf(result.value, 'data');
    },
    async render(template, data, context) {
      const found = find(template);
      if (found?.render === undefined) return undefined;
      let parts: RenderedParts;
      try {
        const given = Object(await found.render((data ?? {}) as never, context)) as Partial<RenderedParts>;
        // Parts may be promises, too.
        const [subject, html, text] = await Promise.all([given.subject, given.html, given.text]);
        parts = { subject: subject as string, html, text };
      } catch (error) {
        throw new MailRelayError(
          'TEMPLATE_RENDER_FAILED',
          { template: found.name, reason: `the function of ${found.name} threw: ${messageOf(error)}` },
          { cause: error },
        );
      }
      if (!isRendered(parts)) {
        throw new MailRelayError('TEMPLATE_INVALID', {
          template: found.name,
          reason: `the function of ${found.name} must return { subject, html, text }`,
        });
      }
      return { subject: subjectOf(parts.subject), html: parts.html, text: parts.text };
    },
  };
}

/** What a function template may answer. */
function isRendered(parts: RenderedParts): boolean {
  const isBody = (body: unknown): boolean => body === undefined || typeof body === 'string';
  return (
    typeof parts?.subject === 'string' &&
    isBody(parts.html) &&
    isBody(parts.text) &&
    (parts.html ?? parts.text) !== undefined
  );
}

async function validated(
  schema: StandardSchemaV1,
  data: object | undefined,
  name: string | undefined,
): Promise<StandardSchemaV1.Result<unknown>> {
  try {
    return await schema['~standard'].validate(data ?? {});
  } catch (cause) {
    const reason = `the schema of ${name} threw: ${messageOf(cause)}`;
    throw new MailRelayError('TEMPLATE_DATA_INVALID', { template: name, reason }, { cause });
  }
}

function compiledForm(template: AnyTemplate): DeclaredTemplate[] {
  const { name, subject, text, compiled } = template;
  if (compiled !== undefined) return [{ name, format: 'compiled', compiled }];
  if (template.mjml !== undefined) return [{ name, format: 'mjml', source: template.mjml, subject, text }];
  if (template.html !== undefined) return [{ name, format: 'html', source: template.html, subject, text }];
  return [];
}

function pathOf(path: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined): string {
  return (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
}
