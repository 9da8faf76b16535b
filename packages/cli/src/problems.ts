/** What is wrong with a rendered mail. */
import type { RenderedTemplate } from '@mailrelay/core';
import { Parser } from 'htmlparser2';

/** Gmail shows the first 102 KB of a mail's HTML, and hides the rest behind a link. */
const CLIP_BYTES = 102 * 1024;

/** A link of a mail, and what can be clicked on. */
export interface Link {
  readonly href: string;
  readonly text: string;
}

interface Seen {
  readonly links: Link[];
  /** Pictures without a text for who does not see them. */
  readonly bare: string[];
}

/** What can be told without asking anybody; with `allowPrivate`, links may lead to this machine. */
export function problemsOf({ subject, html = '' }: RenderedTemplate, allowPrivate: boolean): readonly string[] {
  const { links, bare } = look(html);
  const bytes = Buffer.byteLength(html);
  return [
    ...(subject === '' ? ['it has no subject'] : []),
    ...links.flatMap((link) => {
      const problem = linkProblem(link.href, allowPrivate);
      return problem === undefined ? [] : [`${nameOf(link)} ${problem}`];
    }),
    ...bare.map((src) => `the picture ${src} has no alt text`),
    ...(bytes > CLIP_BYTES ? [`its HTML has ${Math.ceil(bytes / 1024)} KB; Gmail cuts off what is over 102 KB`] : []),
  ];
}

/** The links to pages of the web that have no problem yet: those that can be asked. */
export function webLinksOf({ html = '' }: RenderedTemplate, allowPrivate: boolean): readonly Link[] {
  return look(html).links.filter(({ href }) => /^https?:/i.test(href) && linkProblem(href, allowPrivate) === undefined);
}

/** A link, in the words of a problem. */
export function nameOf({ text }: Link): string {
  return `the link "${text || 'without text'}"`;
}

function linkProblem(href: string, allowPrivate: boolean): string | undefined {
  if (href === '' || href === '#') return 'leads nowhere';
  if (/^(?:mailto|tel|sms):./i.test(href)) return undefined;
  if (!/^https?:\/\//i.test(href)) return `has no address that works in a mail: ${href}`;
  if (!URL.canParse(href)) return `has an address that cannot be read: ${href}`;
  if (allowPrivate) return undefined;
  const { hostname } = new URL(href);
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname) ? `leads to this machine: ${href}` : undefined;
}

function look(html: string): Seen {
  const seen: Seen = { links: [], bare: [] };
  let open: { href: string; text: string } | undefined;
  const parser = new Parser({
    onopentag(name, { href, src, alt }) {
      if (name === 'a' && href !== undefined) open = { href: href.trim(), text: '' };
      if (name !== 'img') return;
      if (open !== undefined) open.text += alt ?? '';
      if (alt === undefined) seen.bare.push(src ?? 'without address');
    },
    ontext(text) {
      if (open !== undefined) open.text += text;
    },
    onclosetag(name) {
      if (name !== 'a' || open === undefined) return;
      seen.links.push({ ...open, text: open.text.replace(/\s+/g, ' ').trim() });
      open = undefined;
    },
  });
  parser.end(html);
  return seen;
}
