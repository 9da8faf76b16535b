import Handlebars from 'handlebars';
import type { TemplateData } from '../message.ts';
import type { Tokens } from '../token.ts';
import type { CompiledLocale } from './bundle.ts';
import { clickLink, decodeAttribute, encodeAttribute, isTrackable, rewriteHtml, TO_WEB, withUtm } from './links.ts';
import { withCrlf } from './mime/body.ts';
import { compiler, strictEngine } from './strict.ts';
import { splitAddress } from './text-address.ts';

/** What a render adds to the data: the tokens of the delivery, and the subject of the mail as its title. */
export interface RenderFrame {
  readonly subject: string;
  readonly clicker: string;
  readonly pixel: string;
}

/** A compiled language of a template, with tracking in place. Bodies have CRLF line ends, so that composing need not make them. */
export interface Program {
  html(data: TemplateData, frame: RenderFrame): string;
  text(data: TemplateData, frame: RenderFrame): string;
  subject(data: TemplateData): string;
  /** Each tracked link as it stands in the template, by the number that its token carries. */
  readonly links: readonly string[];
  /** The addresses that these data alone give to links with values; what they lack is left empty. */
  targets(data: TemplateData): ReadonlySet<string>;
  /** Whether the template says a word; so that a value nobody shows is not made. */
  mentions(word: string): boolean;
}

/** Which tracking a program has. */
export interface ProgramTracking {
  readonly opens: boolean;
  readonly clicks: boolean;
  readonly utm: Readonly<Record<string, string>> | undefined;
  /** Attribute of links, where a route wants one: see `RouteDemands`. @default none */
  readonly mark?: string | undefined;
}

const HTTP = /^https?:\/\//i;
/** An http(s) address, with or without values in it, or a lone value. */
const ADDRESS_IN_TEXT = /https?:\/\/(?:\{\{[^}]*\}\}|[^\s<>"'{}])+|\{\{\{?[^{}#/!>][^{}]*\}?\}\}/gi;

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
  const { linkBase } = context;
  const engine = strictEngine();
  const links: string[] = [];
  /** Addresses of links that are left alone because they say so. */
  const left = new Set<string>();
  const words = new Map<string, boolean>();
  const numberOf = (form: string): number => {
    const known = links.indexOf(form);
    return known >= 0 ? known : links.push(form) - 1;
  };
  /** Where a link leads: over the relay, if that is wanted and possible. */
  const address = (url: string, number: number, clicker: string): string => {
    const target = withUtm(url, tracking.utm);
    const half = tracking.clicks ? clickLink(context, scope, number, target) : undefined;
    return half === undefined ? target : half + clicker;
  };
  const fixed = (url: string): string => address(url, tracking.clicks ? numberOf(url) : 0, '{{@clicker}}');
  /** An address with values, once they are known. */
  const signed = (url: string, number: number, { data }: Handlebars.HelperOptions): string =>
    address(url, number, data.clicker as string);
  // Blocks around addresses with values: they sign what the values make of them.
  engine.registerHelper('mailRelayLink', function (this: unknown, number: number, options: Handlebars.HelperOptions) {
    const url = decodeAttribute(options.fn(this));
    return new Handlebars.SafeString(encodeAttribute(isTrackable(url, linkBase) ? signed(url, number, options) : url));
  });
  engine.registerHelper('mailRelayText', function (this: unknown, number: number, options: Handlebars.HelperOptions) {
    const url = options.fn(this);
    return isTrackable(url, linkBase) ? signed(url, number, options) : url;
  });
  const rewrites = tracking.clicks || tracking.utm !== undefined;
  const html = rewriteHtml(
    locale.html,
    rewrites ? visit : undefined,
    tracking.opens ? pixelTag(`${linkBase}/o/{{@pixel}}.gif`) : '',
    { left: (href) => void left.add(decodeAttribute(href)), mark: tracking.mark },
  );
  const text = rewrites ? locale.text.replace(ADDRESS_IN_TEXT, textLink) : locale.text;

  function visit(href: string): string | undefined {
    const url = decodeAttribute(href);
    if (url.includes('{{')) {
      if (!TO_WEB.test(url)) return undefined;
      return `{{#mailRelayLink ${numberOf(url)}}}${href}{{/mailRelayLink}}`;
    }
    if (!isTrackable(url, linkBase)) return undefined;
    return encodeAttribute(fixed(url));
  }

  function textLink(found: string): string {
    const [url, rest] = HTTP.test(found) ? splitAddress(found) : [found, ''];
    return textTarget(url) + rest;
  }

  function textTarget(url: string): string {
    // A lone value is an address where the HTML beside it has it in a link.
    if (left.has(url) || (!HTTP.test(url) && !links.includes(url))) return url;
    if (url.includes('{{')) return `{{#mailRelayText ${numberOf(url)}}}${url}{{/mailRelayText}}`;
    return isTrackable(url, linkBase) ? fixed(url) : url;
  }

  const run = compiler(engine, locale);
  const htmlRun = run(withCrlf(html), 'html', false);
  const textRun = run(withCrlf(text), 'text', true);
  const subjectRun = run(locale.subject, 'subject', true);
  return {
    html: (data, frame) => htmlRun(data, frame),
    text: (data, frame) => textRun(data, frame),
    // A value must not end the header.
    subject: (data) =>
      subjectRun(data, undefined)
        .replace(/\p{Cc}+/gu, ' ')
        .trim(),
    links,
    targets(data) {
      const found = new Set<string>();
      const lenient = Handlebars.create();
      lenient.registerHelper('mailRelayLink', function (this: unknown, _: number, options: Handlebars.HelperOptions) {
        found.add(withUtm(decodeAttribute(options.fn(this)), tracking.utm));
      });
      lenient.compile(html)(data, { data: { clicker: '', pixel: '', subject: '' } });
      return found;
    },
    mentions(word) {
      const known = words.get(word) ?? [html, text, locale.subject].some((part) => part.includes(word));
      words.set(word, known);
      return known;
    },
  };
}

/** The pixel that records opens. */
export function pixelTag(url: string): string {
  return `<img src="${url}" width="1" height="1" alt="" style="display:block;border:0">`;
}
