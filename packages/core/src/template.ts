import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { RenderedParts, TemplateData } from './message.ts';

/**
 * Names of templates with their data, for templates in a folder. Fill it by declaration merging.
 *
 * @example
 * declare module '@mailrelay/core' { interface Templates { welcome: { name: string } } }
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is filled by declaration merging
export interface Templates {}

/** Name of a template: one of {@link Templates} where that has any, else any text. */
export type TemplateName = keyof Templates extends never ? string : keyof Templates & string;

/** What a function template learns beside its data. */
export interface RenderContext {
  readonly locale: string | undefined;
}

/** A template that was compiled ahead of time, by `mailrelay templates build`. */
export interface CompiledTemplate {
  /** Hash of its sources: the same as when the folder is compiled at the start. */
  readonly version: string;
  /** By language; `''` for the one without a tag. */
  readonly locales: Readonly<Record<string, CompiledText>>;
}

/** One language of a compiled template: Handlebars texts, and the file that they came from. */
export interface CompiledText {
  readonly path: string;
  readonly subject: string;
  readonly preheader?: string | undefined;
  readonly html: string;
  readonly text: string;
}

/** A template declared in code. */
export interface TemplateDefinition<Name extends string = string, Data = TemplateData> {
  readonly name: Name;
  /** Checks the data before anything is stored (zod, valibot, arktype …). */
  readonly schema?: StandardSchemaV1<Data, unknown> | undefined;
  /** Handlebars text. */
  readonly subject?: string | undefined;
  /** One of `mjml`, `html`, `compiled` and `render`. */
  readonly mjml?: string | undefined;
  readonly html?: string | undefined;
  /** What `mailrelay templates build` made; subject and text are in it. */
  readonly compiled?: CompiledTemplate | undefined;
  /** Replaces the text that is derived from the HTML. */
  readonly text?: string | undefined;
  /** A function as a template; it runs on the host's thread, for each recipient. */
  readonly render?: ((data: Data, context: RenderContext) => Rendering | Promise<Rendering>) | undefined;
}

/** What a function template answers; each part may be on its way, as those of React Email are. */
type Rendering = { readonly [Part in keyof RenderedParts]: RenderedParts[Part] | Promise<RenderedParts[Part]> };

/** Any template declared in code. */
export type AnyTemplate = Omit<TemplateDefinition<string, never>, 'schema'> & {
  readonly schema?: StandardSchemaV1 | undefined;
};

/** The data that a template takes: from its schema, from {@link Templates}, or any. */
export type DataOf<T> = AnyTemplate extends T
  ? object
  : T extends { readonly schema: StandardSchemaV1<infer Data, unknown> }
    ? Data
    : T extends TemplateDefinition<string, infer Data>
      ? Data
      : T extends keyof Templates
        ? Templates[T]
        : object;

/**
 * Declares a template in code, with typed data where it has a schema.
 *
 * @example
 * const welcome = defineTemplate({ name: 'welcome', schema: z.object({ name: z.string() }), subject: 'Hello {{name}}', mjml });
 */
export function defineTemplate<const Name extends string, Data = TemplateData>(
  definition: TemplateDefinition<Name, Data>,
): TemplateDefinition<Name, Data> {
  return definition;
}
