import type { DeclaredTemplate } from '../compose/port.ts';
import { MailRelayError, messageOf } from '../errors.ts';
import type { Json, RenderedParts } from '../message.ts';
import type { AnyTemplate } from '../template.ts';
import { headerText } from './headers.ts';
import { jsonOf } from './json.ts';

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

/**
 * @throws MailRelayError `OPTIONS_INVALID` where two templates have one name.
 */
export function createTemplateBook(templates: readonly AnyTemplate[]): TemplateBook {
  const byName = new Map<string, AnyTemplate>();
  for (const template of templates) {
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
      const result = await schema['~standard'].validate(data ?? {});
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
        parts = await found.render((data ?? {}) as never, context);
      } catch (error) {
        throw new MailRelayError(
          'TEMPLATE_RENDER_FAILED',
          { template: found.name, reason: `the function of ${found.name} threw: ${messageOf(error)}` },
          { cause: error },
        );
      }
      if (typeof parts?.subject !== 'string' || (parts.html === undefined && parts.text === undefined)) {
        throw new MailRelayError('TEMPLATE_INVALID', {
          template: found.name,
          reason: `the function of ${found.name} must return { subject, html, text }`,
        });
      }
      return { subject: headerText(parts.subject, 'subject'), html: parts.html, text: parts.text };
    },
  };
}

function compiledForm(template: AnyTemplate): DeclaredTemplate[] {
  const { name, subject, text } = template;
  if (template.mjml !== undefined) return [{ name, format: 'mjml', source: template.mjml, subject, text }];
  if (template.html !== undefined) return [{ name, format: 'html', source: template.html, subject, text }];
  return [];
}

function pathOf(path: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined): string {
  return (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
}
