import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { Parser } from 'htmlparser2';
import mjml2html from 'mjml';
import { systemClock } from '../../packages/core/src/clock.ts';
import { createComposer } from '../../packages/core/src/compose/composer.ts';
import { createMessageIds } from '../../packages/core/src/compose/message-id.ts';
import { resolveDkim } from '../../packages/core/src/dkim-options.ts';
import { createTokens } from '../../packages/core/src/token.ts';
import { contentOf } from '../support/content.ts';
import { type Benchmark, rivals, scratchFolder } from './figures.ts';
import { newsletter } from './newsletter.ts';

const require = createRequire(import.meta.url);

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
  title: 'render and track one recipient of a newsletter with 47 links',
  async run(size) {
    const scale = size === 'full' ? 2 : 1;
    const folder = scratchFolder();
    const source = newsletter(15);
    const blobs = new Map<string, Uint8Array>();
    const tokens = createTokens(['a secret for the benchmark']);
    const linkBase = 'https://mail.example.com/mail';
    const composer = createComposer({
      folders: [],
      declared: [{ name: 'news', format: 'mjml', source, subject: 'News', text: undefined }],
      tokens,
      messageIdOf: createMessageIds(tokens),
      linkBase,
      maxMessageBytes: 1 << 25,
      dkim: resolveDkim(undefined, {}),
      clock: systemClock,
      blobs: {
        get: async (_kind, key) => blobs.get(key),
        put: async (_kind, key, bytes) => void blobs.set(key, bytes),
      },
      watch: false,
      log: () => {},
    });
    await composer.start();
    const content = contentOf({
      subject: undefined,
      text: undefined,
      template: 'news',
      version: composer.version('news'),
      tracking: { opens: true, clicks: true, utm: undefined },
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
    const rewrite = (index: number): string =>
      rewriteLinks(template(data), (url, link) => `${linkBase}/c/${tokens.link('peer', link, url)}.${index}`);

    const { MjmlAdapter } = require('@nestjs-modules/mailer/adapters/mjml.adapter') as {
      MjmlAdapter: new (engine: string, config: object) => Adapter;
    };
    writeFileSync(join(folder.path, 'news.hbs'), source);
    const adapter = new MjmlAdapter('handlebars', { inlineCssEnabled: false });
    const incumbent = (): Promise<void> =>
      new Promise((resolve, reject) => {
        const mail = { data: { template: 'news', context: data } };
        adapter.compile(mail, (error) => (error ? reject(error) : resolve()), { template: { dir: folder.path } });
      });

    try {
      const tasks = {
        ours: { calls: 300 * scale, call: (index: number) => composer.view(content, delivery(index)) },
        composed: { calls: 300 * scale, call: (index: number) => composer.compose(content, delivery(index)) },
        rewriting: { calls: 40 * scale, call: rewrite },
        incumbent: { calls: 4 * scale, call: incumbent },
      };
      const ms = await rivals(tasks, size === 'full' ? 7 : 1);
      return [
        { name: 'html of one mail', value: compiled.length / 1024, unit: 'KB' },
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
      await composer.close();
      folder.remove();
    }
  },
};

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
