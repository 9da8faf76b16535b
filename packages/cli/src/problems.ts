/** What is wrong with a rendered mail. */
import type { RenderedTemplate } from '@mailrelay/core';
import { Parser } from 'htmlparser2';

/** Gmail shows the first 102 KB of a mail's HTML, and hides the rest behind a link. */
const CLIP_BYTES = 102 * 1024;
const TIMEOUT_MS = 10_000;

interface Seen {
  readonly links: { readonly href: string; readonly text: string }[];
  /** Pictures without a text for who does not see them. */
  readonly bare: string[];
}

/** What can be told without asking anybody. */
export function problemsOf({ subject, html = '' }: RenderedTemplate): readonly string[] {
  const { links, bare } = look(html);
  const bytes = Buffer.byteLength(html);
  return [
    ...(subject === '' ? ['it has no subject'] : []),
    ...links.flatMap(({ href, text }) => {
      const problem = linkProblem(href);
      return problem === undefined ? [] : [`the link "${text || 'without text'}" ${problem}`];
    }),
    ...bare.map((src) => `the picture ${src} has no alt text`),
    ...(bytes > CLIP_BYTES ? [`its HTML has ${Math.ceil(bytes / 1024)} KB; Gmail cuts off what is over 102 KB`] : []),
  ];
}

function linkProblem(href: string): string | undefined {
  if (href === '' || href === '#') return 'leads nowhere';
  if (/^(?:mailto|tel|sms):./i.test(href)) return undefined;
  if (!/^https?:\/\//i.test(href)) return `has no address that works in a mail: ${href}`;
  if (!URL.canParse(href)) return `has an address that cannot be read: ${href}`;
  const { hostname } = new URL(href);
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname) ? `leads to this machine: ${href}` : undefined;
}

/** Links that do not answer. */
export async function deadLinks({ html = '' }: RenderedTemplate): Promise<readonly string[]> {
  const urls = [...new Set(look(html).links.map(({ href }) => href))].filter((url) => linkProblem(url) === undefined);
  const web = urls.filter((url) => /^https?:/i.test(url) && !new URL(url).hostname.endsWith('example.com'));
  const answers = await Promise.all(web.map(async (url) => ({ url, status: await statusOf(url) })));
  return answers.flatMap(({ url, status }) =>
    typeof status === 'number' && status < 400 ? [] : [`${url} answers ${status}`],
  );
}

/** Some servers do not know HEAD. */
async function statusOf(url: string): Promise<number | string> {
  try {
    let status = 0;
    for (const method of ['HEAD', 'GET']) {
      const response = await fetch(url, { method, signal: AbortSignal.timeout(TIMEOUT_MS) });
      await response.body?.cancel();
      status = response.status;
      if (status < 400) break;
    }
    return status;
  } catch (error) {
    return `nothing (${String((error as { cause?: { code?: string } }).cause?.code ?? (error as Error).name)})`;
  }
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
