import { decodeHTMLAttribute } from 'entities/decode';
import { Tokenizer } from 'htmlparser2';
import { MAX_TOKEN, type Tokens } from '../token.ts';

/** Decides about one link: the new value of its href, or undefined to leave it alone. */
export type LinkVisitor = (href: string) => string | undefined;

/** An http(s) address in a text, with what may stand right behind it; `splitAddress` tells them apart. */
export const ADDRESS: RegExp = /https?:\/\/[^\s<>"']+/gi;

/** Whether an address can be tracked: web pages, but for those of the relay itself (unsubscribe, view in browser). */
export function isTrackable(url: string, linkBase: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url) && !url.startsWith(`${linkBase}/`);
}

/** An address that leads to the web, or whose values may. */
export const TO_WEB: RegExp = /^(?:https?:\/\/|\{\{)/i;

/** What else happens to links as they are rewritten. */
export interface Rewriting {
  /** Called with the address of each link that is left alone because it says so. */
  readonly left?: ((href: string) => void) | undefined;
  /** An attribute without a value that each `<a>` gets that leads to the web, also one that is left alone. */
  readonly mark?: string | undefined;
}

/**
 * Replaces the addresses of links in one pass; everything else stays byte for byte. Links with `data-track="off"` are left
 * alone. `pixel` goes before the end of the body.
 *
 * @param visit - undefined where links stay as they are, marks and all
 */
export function rewriteHtml(
  html: string,
  visit: LinkVisitor | undefined,
  pixel: string,
  { left, mark }: Rewriting = {},
): string {
  let out = '';
  let last = 0;
  let tag = '';
  let attribute = '';
  let start = -1;
  let end = -1;
  let href: { start: number; end: number } | undefined;
  let off = false;
  let nameEnd = -1;
  let marked = false;
  let bodyEnd = -1;

  function finishTag(): void {
    if ((tag === 'a' || tag === 'area') && href !== undefined && visit !== undefined) {
      const address = html.slice(href.start, href.end);
      // Right behind the name an attribute can stand whatever follows.
      if (mark !== undefined && tag === 'a' && !marked && TO_WEB.test(decodeAttribute(address))) {
        out += `${html.slice(last, nameEnd)} ${mark}`;
        last = nameEnd;
      }
      if (off) left?.(address);
      const replacement = off ? undefined : visit(address);
      if (replacement !== undefined) {
        out += html.slice(last, href.start) + replacement;
        last = href.end;
      }
    }
    href = undefined;
    off = false;
  }

  const ignore = (): void => {};
  const tokenizer = new Tokenizer(
    { xmlMode: false, decodeEntities: false },
    {
      onopentagname(from, to) {
        tag = html.slice(from, to).toLowerCase();
        nameEnd = to;
        href = undefined;
        off = false;
        marked = false;
      },
      onattribname(from, to) {
        attribute = html.slice(from, to).toLowerCase();
        start = -1;
        if (attribute === mark) marked = true;
      },
      onattribdata(from, to) {
        if (start < 0) start = from;
        end = to;
      },
      onattribend() {
        if (attribute === 'href' && start >= 0) href ??= { start, end };
        if (attribute === 'data-track' && start >= 0 && html.slice(start, end).toLowerCase() === 'off') off = true;
      },
      onopentagend: finishTag,
      onselfclosingtag: finishTag,
      onclosetag(from, to) {
        if (html.slice(from, to).toLowerCase() === 'body') bodyEnd = from - 2;
      },
      onattribentity: ignore,
      oncdata: ignore,
      oncomment: ignore,
      ondeclaration: ignore,
      onend: ignore,
      onprocessinginstruction: ignore,
      ontext: ignore,
      ontextentity: ignore,
    },
  );
  tokenizer.write(html);
  tokenizer.end();
  if (pixel !== '' && bodyEnd >= last) {
    out += html.slice(last, bodyEnd) + pixel;
    last = bodyEnd;
    return out + html.slice(last);
  }
  return out + html.slice(last) + pixel;
}

/** An attribute's value as a browser reads it. */
export function decodeAttribute(value: string): string {
  return (value.includes('&') ? decodeHTMLAttribute(value) : value).trim();
}

/** The same text inside of a double-quoted attribute. */
export function encodeAttribute(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

/** The address with further query parameters; those that are there win. The rest of it stays to the byte: it may be signed. */
export function withUtm(url: string, utm: Readonly<Record<string, string>> | undefined): string {
  if (utm === undefined || !URL.canParse(url)) return url;
  const { searchParams } = new URL(url);
  const missing = Object.entries(utm).filter(([key]) => !searchParams.has(key));
  if (missing.length === 0) return url;
  const [, address = '', fragment = ''] = /^([^#]*)(.*)$/s.exec(url) ?? [];
  const joint = !address.includes('?') ? '?' : /[?&]$/.test(address) ? '' : '&';
  return `${address}${joint}${new URLSearchParams(missing)}${fragment}`;
}

/** What leads an address over the relay, up to where the token of the delivery goes; undefined where no token can hold it. */
export function clickLink(
  { tokens, linkBase }: { readonly tokens: Pick<Tokens, 'link'>; readonly linkBase: string },
  scope: string,
  number: number,
  target: string,
): string | undefined {
  const token = tokens.link(scope, number, target);
  return token.length > MAX_TOKEN ? undefined : `${linkBase}/c/${token}.`;
}
