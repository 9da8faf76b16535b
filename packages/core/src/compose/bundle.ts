import type { BlobStore } from '../store/port.ts';
import { unreadable } from './faults.ts';
import { withHead } from './head.ts';
import { encodeAttribute } from './links.ts';
import { compileMjml, faultOf, keepBlocks } from './mjml.ts';
import { type Passage, placeOf, startOfLine } from './origins.ts';
import type { PrecompiledTemplate } from './port.ts';
import type { Source, TemplateSource } from './sources.ts';
import { checkPassage } from './strict.ts';
import { textOf } from './template-text.ts';

/** One language of a compiled template: Handlebars texts. */
export interface CompiledLocale {
  readonly subject: string;
  readonly preheader: string | undefined;
  readonly html: string;
  readonly text: string;
  /** What the author wrote, to tell the line of a fault. */
  readonly passages: readonly Passage[];
  readonly path: string;
}

/** A compiled template version. */
export interface Bundle {
  readonly name: string;
  readonly locales: Readonly<Record<string, CompiledLocale>>;
}

/**
 * Compiles templates, or takes them from the store where this version was compiled before.
 *
 * @throws MailRelayError `TEMPLATE_INVALID` with path and line.
 */
export async function compileTemplates(
  templates: readonly TemplateSource[],
  blobs: Pick<BlobStore, 'get' | 'put'>,
): Promise<Map<string, Bundle>> {
  const bundles = new Map<string, Bundle>();
  const missing: TemplateSource[] = [];
  for (const template of templates) {
    const kept = await readBundle(template.hash, blobs);
    if (kept === undefined) missing.push(template);
    else bundles.set(template.hash, kept);
  }
  const compiled = await compileSources(missing.flatMap(({ locales }) => Object.values(locales)));
  for (const { name, hash, locales } of missing) {
    const entries = Object.entries(locales).map(([locale, source]) => {
      const one = compiled.get(source) as CompiledLocale;
      return [locale, { ...one, html: withHead(one.html, locale) }];
    });
    const bundle: Bundle = { name, locales: Object.fromEntries(entries) };
    await blobs.put('template', hash, Buffer.from(JSON.stringify(bundle)));
    bundles.set(hash, bundle);
  }
  return bundles;
}

/** Keeps what was compiled ahead of time, so that what is accepted with it can be composed after the next version came. */
export async function keepCompiled(
  { name, compiled }: PrecompiledTemplate,
  blobs: Pick<BlobStore, 'put'>,
): Promise<Bundle> {
  const entries = Object.entries(compiled.locales).map(([locale, { preheader, ...text }]) => [
    locale,
    { ...text, preheader, passages: [] } satisfies CompiledLocale,
  ]);
  const bundle: Bundle = { name, locales: Object.fromEntries(entries) };
  await blobs.put('template', compiled.version, Buffer.from(JSON.stringify(bundle)));
  return bundle;
}

/** A version that was compiled before. */
export async function readBundle(hash: string, blobs: Pick<BlobStore, 'get'>): Promise<Bundle | undefined> {
  const bytes = await blobs.get('template', hash);
  return bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString('utf8')) as Bundle);
}

async function compileSources(sources: readonly Source[]): Promise<Map<Source, CompiledLocale>> {
  for (const { passages, format } of sources) {
    for (const passage of passages) checkPassage(passage, format === 'mjml' ? withoutComments(passage) : passage.text);
  }
  const mjml = sources.filter(({ format }) => format === 'mjml');
  const prepared = mjml.map(({ passages }) => keepBlocks(bodyOf(passages)));
  const results = await compileMjml(prepared);
  const compiled = new Map<Source, CompiledLocale>();
  for (const source of sources) {
    const at = mjml.indexOf(source);
    const body = bodyOf(source.passages);
    let html = body.text;
    const result = results[at];
    if (result !== undefined) {
      const fault = faultOf(result, prepared[at] as string);
      if (fault !== undefined) {
        throw unreadable(placeOf(body, startOfLine(body, fault.line)), fault.message);
      }
      html = result.html;
    }
    const text = source.text ?? textOf(html);
    compiled.set(source, {
      subject: source.subject,
      preheader: source.preheader,
      html: withPreheader(html, source.preheader),
      text,
      passages: source.passages,
      path: source.path,
    });
  }
  return compiled;
}

function bodyOf(passages: readonly Passage[]): Passage {
  return passages.find(({ part }) => part === 'html') as Passage;
}

/** MJML leaves comments out, whatever stands in them; lines stay where they are. */
function withoutComments({ text }: Passage): string {
  return text.replace(/<!--[\s\S]*?-->/g, (comment) => comment.replace(/[^\n]/g, ' '));
}

function withPreheader(html: string, preheader: string | undefined): string {
  if (preheader === undefined) return html;
  const hidden = `<div class="mail-relay-preheader" style="display:none;max-height:0;overflow:hidden">${preheader.includes('{{') ? preheader : encodeAttribute(preheader)}</div>`;
  return /<body[^>]*>/i.test(html) ? html.replace(/<body[^>]*>/i, (tag) => tag + hidden) : hidden + html;
}
