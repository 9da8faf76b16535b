import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { Parser } from 'htmlparser2';
import mjml2html from 'mjml';
import { systemClock } from '../../packages/core/src/clock.ts';
import { type CatalogueOptions, createCatalogue } from '../../packages/core/src/compose/catalogue.ts';
import { createComposer } from '../../packages/core/src/compose/composer.ts';
import { createMessageIds } from '../../packages/core/src/compose/message-id.ts';
import { resolveDkim } from '../../packages/core/src/dkim-options.ts';
import { createTokens } from '../../packages/core/src/token.ts';
import { contentOf } from '../support/content.ts';
import { type Benchmark, rivals, scratchFolder } from './figures.ts';
import { newsletter } from './newsletter.ts';

const require = createRequire(import.meta.url);
const SECTIONS = 15;
/** Of the newsletter, KB. */
const LEAST_KB = 55;
const MOST_KB = 65;
/** Three in each section, and the one to unsubscribe. */
const LINKS = 3 * SECTIONS + 1;
const TRACKING = { opens: true, clicks: true, utm: undefined };

interface Adapter {
  compile(
    mail: { data: { template: string; context: object; html?: string } },
    done: (error?: unknown) => void,
    options: object,
  ): void;
}

const data = { firstName: 'Zoë & Co', city: 'Saint-Étienne', unsubscribeUrl: 'https://mail.example.com/u' };

/** Rendering and tracking one recipient's mail, beside what others do per recipient. */
export const rendering: Benchmark = {
  name: 'rendering',
  title: `render and track one recipient of a newsletter with ${LINKS} links and a pixel`,
  async run(size) {
    const scale = size === 'full' ? 2 : 1;
    const folder = scratchFolder();
    const source = newsletter(SECTIONS);
    const blobs = new Map<string, Uint8Array>();
    const tokens = createTokens(['a secret for the benchmark']);
    const linkBase = 'https://mail.example.com/mail';
    const templates = {
      folders: [],
      declared: [{ name: 'news', format: 'mjml' as const, source, subject: 'News', text: undefined }],
      tokens,
      linkBase,
      blobs: {
        get: async (_kind, key) => blobs.get(key),
        put: async (_kind, key, bytes) => void blobs.set(key, bytes),
      },
      watch: false,
      log: () => {},
    } satisfies CatalogueOptions;
    const composer = createComposer({
      ...templates,
      messageIdOf: createMessageIds(tokens),
      maxMessageBytes: 1 << 25,
      dkim: resolveDkim(undefined, {}),
      clock: systemClock,
    });
    const catalogue = createCatalogue(templates);
    await composer.start();
    await catalogue.start();
    const content = contentOf({
      subject: undefined,
      text: undefined,
      template: 'news',
      version: composer.version('news'),
      tracking: TRACKING,
      stream: 'broadcast',
    });
    const delivery = (index: number) => ({
      id: 1_800_000_000_000_000 + index,
      messageId: 1_800_000_000_000_000,
      address: `reader${index}@example.com`,
      name: undefined,
      kind: 'to' as const,
      data,
      rendered: undefined,
      locale: undefined,
      tracking: undefined,
      acceptedAt: Date.now(),
      sentAt: undefined,
    });

    const compiled = (await mjml2html(source)).html;
    const template = Handlebars.compile(compiled);
    // The peer is spared what all recipients share, as we are: links are signed once.
    const links = new Map<string, string>();
    const linkTo = (url: string, number: number): string => {
      const key = `${number} ${url}`;
      const link = links.get(key) ?? `${linkBase}/c/${tokens.link('peer', number, url)}`;
      links.set(key, link);
      return link;
    };
    const rewrite = (index: number): string =>
      withPixel(
        rewriteLinks(template(data), (url, number) => `${linkTo(url, number)}.${index}`),
        `${linkBase}/o/${index}.gif`,
      );

    const version = catalogue.version('news');
    const render = async (index: number): Promise<string> => {
      const { id, address } = delivery(index);
      const program = await catalogue.program({ name: 'news', version, locale: undefined, tracking: TRACKING });
      const values = { ...data, recipient: { email: address, name: '' } };
      const [clicker, pixel] = [tokens.clicker(`t:${version}`, id), tokens.delivery('o', id)];
      return program.html(values, { clicker, pixel, subject: 'News' });
    };

    const { MjmlAdapter } = require('@nestjs-modules/mailer/adapters/mjml.adapter') as {
      MjmlAdapter: new (engine: string, config: object) => Adapter;
    };
    writeFileSync(join(folder.path, 'news.hbs'), source);
    const adapter = new MjmlAdapter('handlebars', { inlineCssEnabled: false });
    const incumbent = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const mail: Parameters<Adapter['compile']>[0] = { data: { template: 'news', context: data } };
        const done = (error?: unknown): void => (error ? reject(error) : resolve(mail.data.html ?? ''));
        adapter.compile(mail, done, { template: { dir: folder.path } });
      });

    try {
      const kilobytes = compiled.length / 1024;
      if (kilobytes < LEAST_KB || kilobytes > MOST_KB) throw new Error(`the newsletter has ${kilobytes} KB`);
      checkOutputs({ ours: await render(1), rewriting: rewrite(1), incumbent: await incumbent() }, linkBase);
      const tasks = {
        ours: { calls: 300 * scale, call: render },
        composed: { calls: 300 * scale, call: (index: number) => composer.compose(content, delivery(index)) },
        rewriting: { calls: 40 * scale, call: rewrite },
        incumbent: { calls: 4 * scale, call: incumbent },
      };
      const ms = await rivals(tasks, size === 'full' ? 7 : 1);
      return [
        { name: 'html of one mail', value: kilobytes, unit: 'KB' },
        { name: 'mail relay: render and track', value: ms.ours * 1000, unit: 'µs' },
        { name: 'mail relay: and compose as MIME', value: ms.composed * 1000, unit: 'µs' },
        { name: 'Handlebars and htmlparser2', value: ms.rewriting * 1000, unit: 'µs' },
        { name: '@nestjs-modules/mailer with MjmlAdapter', value: ms.incumbent * 1000, unit: 'µs' },
        {
          name: 'times faster than Handlebars and htmlparser2',
          value: ms.rewriting / ms.ours,
          unit: 'times',
          target: 8,
        },
        { name: 'times faster than @nestjs-modules/mailer', value: ms.incumbent / ms.ours, unit: 'times', target: 100 },
      ];
    } finally {
      catalogue.close();
      await composer.close();
      folder.remove();
    }
  },
};

/** @throws where somebody left out a link or the pixel, which would make it faster. */
function checkOutputs(
  { ours, rewriting, incumbent }: Record<'ours' | 'rewriting' | 'incumbent', string>,
  base: string,
) {
  const count = (html: string, text: string): number => html.split(text).length - 1;
  for (const [name, html] of Object.entries({ ours, rewriting })) {
    const found = [count(html, `href="${base}/c/`), count(html, `${base}/o/`), count(html, 'Saint-Étienne')];
    if (`${found}` !== `${[LINKS, 1, SECTIONS]}`) throw new Error(`${name}: links, pixels and values are ${found}`);
  }
  if (count(incumbent, '<a') < LINKS || count(incumbent, 'Saint-Étienne') !== SECTIONS)
    throw new Error('the adapter rendered something else');
}

function withPixel(html: string, url: string): string {
  const at = html.lastIndexOf('</body>');
  return `${html.slice(0, at)}<img src="${url}" width="1" height="1" alt="">${html.slice(at)}`;
}

/** What one writes by hand: parse the HTML of each mail and put other addresses into its links. */
function rewriteLinks(html: string, target: (url: string, index: number) => string): string {
  let out = '';
  let last = 0;
  let index = 0;
  const parser = new Parser({
    onopentag(name, attributes) {
      const href = attributes.href;
      if (name !== 'a' || href === undefined) return;
      const at = html.indexOf(href, parser.startIndex);
      if (at < 0) return;
      out += html.slice(last, at) + target(href, index++);
      last = at + href.length;
    },
  });
  parser.end(html);
  return out + html.slice(last);
}
