import { isAbsolute, posix, relative, sep } from 'node:path';
import type { MailerOptions } from './options.ts';

type Context = Readonly<Record<string, unknown>> | undefined;

const VALUE = /\{\{([^{}]+)\}\}/g;
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Puts values of the context where a subject names them; what the context lacks stays as it is. */
export function filled(text: string, context: Context): string {
  if (context === undefined) return text;
  return text.replace(VALUE, (whole, key: string) => {
    const value = Object.hasOwn(context, key.trim()) ? context[key.trim()] : undefined;
    return value === undefined ? whole : String(value);
  });
}

/** The same in HTML, escaped. */
export function filledHtml(html: string, context: Context): string {
  if (context === undefined) return html;
  const values = Object.entries(context).map(([key, value]) => [
    key,
    value === undefined ? undefined : escaped(String(value)),
  ]);
  return filled(html, Object.fromEntries(values));
}

/** `./welcome`, `welcome.hbs` and `/app/templates/welcome` are the template `welcome`. */
export function templateName(template: string, { template: options }: MailerOptions): string {
  const folders = [options?.dir ?? [], options?.dirs ?? []].flat();
  const folder = folders.find((one) => isAbsolute(template) && !relative(one, template).startsWith('..'));
  const path = folder === undefined ? template : relative(folder, template).split(sep).join('/');
  return posix.normalize(path).replace(/\.(?:hbs|mjml|html)$/, '');
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
}
