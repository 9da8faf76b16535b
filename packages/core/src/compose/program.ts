import Handlebars from 'handlebars';
import { MailRelayError } from '../errors.ts';
import type { TemplateData } from '../message.ts';
import type { Tokens } from '../token.ts';
import type { CompiledLocale } from './bundle.ts';
import { decodeAttribute, encodeAttribute, rewriteHtml, withUtm } from './links.ts';

/** What a render adds to the data: the tokens of the delivery. */
export interface RenderFrame {
  readonly clicker: string;
  readonly pixel: string;
}

/** A compiled language of a template, with tracking in place. */
export interface Program {
  html(data: TemplateData, frame: RenderFrame): string;
  text(data: TemplateData, frame: RenderFrame): string;
  subject(data: TemplateData): string;
}

/** Which tracking a program has. */
export interface ProgramTracking {
  readonly opens: boolean;
  readonly clicks: boolean;
  readonly utm: Readonly<Record<string, string>> | undefined;
}

const URL_IN_TEXT = /https?:\/\/(?:\{\{[^}]*\}\}|[^\s<>"'(){}])+/g;

/**
 * Compiles the Handlebars of one language, once per version and kind of tracking. Addresses that are the same for everybody
 * are signed here; those with values are signed as they are rendered.
 *
 * @throws MailRelayError `TEMPLATE_INVALID` where the Handlebars does not parse.
 */
export function createProgram(
  locale: CompiledLocale,
  scope: string,
  tracking: ProgramTracking,
  context: { readonly tokens: Tokens; readonly linkBase: string },
): Program {
  const { tokens, linkBase } = context;
  const engine = Handlebars.create();
  const indexes = new Map<string, number>();
  const link = (url: string): string => {
    const target = withUtm(url, tracking.utm);
    const index = indexes.get(url) ?? indexes.size;
    indexes.set(url, index);
    return tracking.clicks ? `${linkBase}/c/${tokens.link(scope, index, target)}` : target;
  };
  // A block around an address with values: signs what the values make of it.
  engine.registerHelper('mailRelayLink', function mailRelayLink(this: unknown, options: Handlebars.HelperOptions) {
    const url = decodeAttribute(options.fn(this));
    if (!/^https?:\/\//i.test(url)) return new Handlebars.SafeString(encodeAttribute(url));
    const tracked = link(url);
    return new Handlebars.SafeString(
      tracking.clicks ? `${tracked}.${options.data.clicker as string}` : encodeAttribute(tracked),
    );
  });
  const html = rewriteHtml(
    locale.html,
    tracking.clicks || tracking.utm ? visit : undefined,
    tracking.opens ? pixelTag(`${linkBase}/o/{{@pixel}}.gif`) : '',
  );
  const text = tracking.clicks || tracking.utm ? locale.text.replace(URL_IN_TEXT, textLink) : locale.text;

  function visit(href: string): string | undefined {
    const url = decodeAttribute(href);
    if (/^\{\{\{?\s*(?:@root\.)?(?:unsubscribeUrl|viewUrl)\s*\}?\}\}$/.test(url)) return undefined;
    if (url.includes('{{'))
      return /^(?:https?:\/\/|\{\{)/i.test(url) ? `{{#mailRelayLink}}${href}{{/mailRelayLink}}` : undefined;
    if (!/^https?:\/\//i.test(url)) return undefined;
    return tracking.clicks ? `${link(url)}.{{@clicker}}` : encodeAttribute(link(url));
  }

  function textLink(url: string): string {
    // The text keeps addresses with values as they are; the HTML beside it has them tracked.
    if (url.includes('{{')) return url;
    return tracking.clicks ? `${link(url)}.{{@clicker}}` : link(url);
  }

  const run = compiler(engine, locale);
  const htmlRun = run(html, 'html', false);
  const textRun = run(text, 'text', true);
  const subjectRun = run(locale.subject, 'subject', true);
  return {
    html: (data, frame) => htmlRun(data, frame),
    text: (data, frame) => textRun(data, frame),
    // A value must not end the header.
    subject: (data) =>
      subjectRun(data, undefined)
        .replace(/\p{Cc}+/gu, ' ')
        .trim(),
  };
}

/** The pixel that records opens. */
export function pixelTag(url: string): string {
  return `<img src="${url}" width="1" height="1" alt="" style="display:block;border:0">`;
}

type Run = (data: TemplateData, frame: RenderFrame | undefined) => string;

function compiler(
  engine: typeof Handlebars,
  locale: CompiledLocale,
): (source: string, part: string, plain: boolean) => Run {
  return (source, part, plain) => {
    try {
      engine.parse(source);
    } catch (cause) {
      throw new MailRelayError(
        'TEMPLATE_INVALID',
        { path: locale.path, reason: `${locale.path} (${part}): ${(cause as Error).message}` },
        { cause },
      );
    }
    const template = engine.compile(source, { strict: true, noEscape: plain });
    return (data, frame) => {
      try {
        return template(data, {
          data: frame ?? {},
          allowProtoPropertiesByDefault: false,
          allowProtoMethodsByDefault: false,
        });
      } catch (cause) {
        throw missing(cause, locale, part);
      }
    };
  };
}

function missing(cause: unknown, locale: CompiledLocale, part: string): unknown {
  const message = cause instanceof Error ? cause.message : String(cause);
  const variable = /^"([^"]+)" not defined/.exec(message)?.[1] ?? /Missing helper: "([^"]+)"/.exec(message)?.[1];
  if (variable === undefined)
    return new MailRelayError(
      'TEMPLATE_INVALID',
      { path: locale.path, reason: `${locale.path} (${part}): ${message}` },
      { cause },
    );
  const at = locale.source.search(new RegExp(`\\{\\{[^}]*\\b${variable.replace(/[^\w]/g, '\\$&')}\\b`));
  const line = at < 0 ? undefined : locale.source.slice(0, at).split('\n').length;
  const place = line === undefined ? part : `line ${line}`;
  return new MailRelayError(
    'TEMPLATE_VARIABLE_MISSING',
    { variable, template: locale.path, line, reason: `${variable}, in ${locale.path} (${place})` },
    { cause },
  );
}
