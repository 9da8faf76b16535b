import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { readFolder } from '../../../packages/core/src/compose/sources.ts';
import { defineTemplate } from '../../../packages/core/src/index.ts';
import { capturedMails, relayWith, scratchFolder } from '../../support/relay.ts';
import { folderWith, mjml, relayWithTemplates, section } from './support.ts';

describe('a template folder', () => {
  it('stops the start where it is missing, and names the path', async () => {
    const path = join(scratchFolder(), 'emails');
    await expect(relayWith({ templates: path }).start()).rejects.toMatchObject({
      code: 'TEMPLATE_FOLDER_MISSING',
      message: expect.stringContaining(path),
    });
    const file = join(folderWith({ 'emails.html': '' }), 'emails.html');
    await expect(relayWith({ templates: file }).start()).rejects.toMatchObject({ code: 'TEMPLATE_FOLDER_MISSING' });
  });

  it.each([
    [
      'an element that MJML does not know',
      { 'a.mjml': mjml(`\n${section('x')}\n<mj-nothing>y</mj-nothing>`) },
      'a.mjml, line 3',
    ],
    ['no MJML at all', { 'a.mjml': 'Hello' }, 'a.mjml'],
    ['a block that does not end', { 'a.html': '<p>{{#if x}}</p>' }, 'a.html'],
    ['a subject that does not parse', { 'a.html': '---\nsubject: "{{x"\n---\n<p>y</p>' }, 'a.html'],
    ['a text that does not parse', { 'a.html': '<p>y</p>', 'a.txt': '{{/each}}' }, 'a.txt'],
    ['front matter that nobody knows', { 'a.html': '---\nsubjct: x\n---\n<p>y</p>' }, 'subjct'],
    ['a value between components', { 'a.mjml': mjml(`\n{{name}}${section('x')}`) }, 'a.mjml, line 2'],
    ['a partial that is missing', { 'a.html': '<p>{{> foot}}</p>' }, 'foot'],
    ['a partial that contains itself', { 'a.html': '{{> foot}}', 'partials/foot.html': '{{> foot}}' }, 'foot'],
    [
      'a layout without a place for the body',
      { 'a.html': '---\nlayout: l\n---\nx', 'layouts/l.html': 'y' },
      '{{{body}}}',
    ],
  ])('stops the start for %s, and says where', async (_, files, place) => {
    await expect(relayWithTemplates(files).start()).rejects.toMatchObject({
      code: 'TEMPLATE_INVALID',
      message: expect.stringContaining(place),
    });
  });

  it('reads MJML, HTML and Handlebars files, also in folders below, and leaves partials and hidden files out', async () => {
    const relay = relayWithTemplates({
      'one.mjml': mjml(section('{{x}}'), 'subject: One {{x}}'),
      'two.html': '<p>{{x}}</p>',
      'orders/three.hbs': '<p>{{x}}</p>',
      '_draft.html': '{{#if}}',
      '.version/four.html': '{{#if}}',
      'partials/p.html': '{{#if}}',
      'notes.md': '{{#if}}',
    });
    for (const name of ['one', 'two', 'orders/three'])
      expect((await relay.templates.render(name, { x: '<1>' })).html).toContain('&lt;1&gt;');
    const error = await relay.templates.render('four', {}).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'TEMPLATE_NOT_FOUND', message: expect.stringMatching(/one.*two|orders/) });
  });

  it('follows links that stay inside, as mounted volumes have them, and refuses others', async () => {
    const path = folderWith({ '..2026/news.html': '<p>{{x}}</p>' });
    symlinkSync(join(path, '..2026/news.html'), join(path, 'news.html'));
    expect((await relayWith({ templates: path }).templates.render('news', { x: 1 })).html).toBe('<p>1</p>');
    const leading = folderWith({});
    symlinkSync(join(folderWith({ 'secret.html': 'secret' }), 'secret.html'), join(leading, 'other.html'));
    await expect(relayWith({ templates: leading }).start()).rejects.toMatchObject({
      code: 'TEMPLATE_INVALID',
      message: expect.stringContaining('outside'),
    });
  });

  it.each(['news.txt', 'news.subject.txt', 'news.html', 'partials/foot.html', 'layouts/plain.html'])(
    'takes no %s from outside, also by a link',
    (name) => {
      const source = '---\nlayout: plain\n---\n<p>{{> foot}}</p>';
      const files = { 'news.html': source, 'partials/foot.html': 'x', 'layouts/plain.html': '{{{body}}}' };
      const folder = folderWith(files);
      rmSync(join(folder, name), { force: true });
      symlinkSync(join(folderWith({ secret: '{{{body}}}' }), 'secret'), join(folder, name));
      expect(() => readFolder(folder)).toThrow(/outside of the template folder/);
    },
  );

  it('keeps the version that a mail was accepted with', async () => {
    const templates = folderWith({ 'news.html': '<p>old {{x}}</p>' });
    const store = join(scratchFolder(), 'relay.db');
    const first = relayWith({ templates, store, queue: { deliver: false } });
    await first.send({ to: 'ada@example.com', subject: 'News', template: 'news', data: { x: 1 } });
    await first.stop();
    writeFileSync(join(templates, 'news.html'), '<p>new {{y}}</p>');
    const second = relayWith({ templates, store });
    const [mail = ''] = await capturedMails(second, 1);
    expect((await simpleParser(mail)).html).toContain('old 1');
    expect((await second.templates.render('news', { y: 2 })).html).toBe('<p>new 2</p>');
  });

  it('is compiled once for all starts on a store', async () => {
    const templates = folderWith({ 'news.mjml': mjml(section('{{x}}')) });
    const store = join(scratchFolder(), 'relay.db');
    // The engine runs in place, so that the only threads are those that compile.
    let threads = 0;
    const count = (): void => {
      threads += 1;
    };
    process.on('worker', count);
    onTestFinished(() => void process.off('worker', count));
    for (const [text, compiled] of [
      ['one', 1],
      ['one', 1],
      ['two', 2],
      ['one', 2],
    ] as const) {
      writeFileSync(join(templates, 'news.mjml'), mjml(section(`${text} {{x}}`)));
      const relay = relayWith({ templates, store, thread: false });
      expect((await relay.templates.render('news', { x: 7 })).html).toContain(`${text} 7`);
      await relay.stop();
      expect(threads).toBe(compiled);
    }
  });
});

describe('several template folders', () => {
  it('are one catalogue', async () => {
    const [shop, billing] = [
      folderWith({ 'order.html': 'Order {{x}}' }),
      folderWith({ 'invoice.html': 'Invoice {{x}}' }),
    ];
    const relay = relayWith({ templates: { folder: [shop, billing] } });
    expect((await relay.templates.render('order', { x: 1 })).text).toBe('Order 1');
    expect((await relay.templates.render('invoice', { x: 2 })).text).toBe('Invoice 2');
  });

  it('must not have a template of the same name, also one in code', async () => {
    const [one, two] = [folderWith({ 'order.html': 'a' }), folderWith({ 'order.mjml': mjml(section('b')) })];
    const both = await relayWith({ templates: { folder: [one, two] } })
      .start()
      .catch((error: unknown) => error);
    expect(both).toMatchObject({ code: 'TEMPLATE_INVALID', message: expect.stringContaining(join(one, 'order.html')) });
    const templates = { folder: one, templates: [{ name: 'order', html: 'c' }] };
    await expect(relayWith({ templates }).start()).rejects.toMatchObject({ code: 'TEMPLATE_INVALID' });
  });
});

describe('a folder that is watched', () => {
  it('takes changes up, and keeps what was there while a file is broken', async () => {
    const errors: string[] = [];
    const templates = folderWith({ 'news.html': '<p>one</p>' });
    const logger = {
      debug() {},
      info() {},
      warn() {},
      error: (fields: object, text: string) => void errors.push(text + JSON.stringify(fields)),
    };
    const relay = relayWith({ templates, logger });
    const html = async (): Promise<string | undefined> => (await relay.templates.render('news', {})).html;
    expect(await html()).toBe('<p>one</p>');
    writeFileSync(join(templates, 'news.html'), '<p>two</p>');
    await expect.poll(html).toBe('<p>two</p>');
    writeFileSync(join(templates, 'news.html'), '<p>{{#if}}</p>');
    await vi.waitFor(() => expect(errors.join()).toContain('news.html'));
    expect(await html()).toBe('<p>two</p>');
    mkdirSync(join(templates, 'below'));
    writeFileSync(join(templates, 'news.html.tmp'), '<p>three</p>');
    renameSync(join(templates, 'news.html.tmp'), join(templates, 'news.html'));
    await expect.poll(html).toBe('<p>three</p>');
  });

  it('may be removed and made again: what was there stays meanwhile, and what comes is taken up', async () => {
    const errors: string[] = [];
    const logger = { debug() {}, info() {}, warn() {}, error: (_: object, text: string) => void errors.push(text) };
    const templates = folderWith({ 'news.html': '<p>one</p>' });
    const relay = relayWith({ templates, logger, thread: false });
    const html = async (): Promise<string | undefined> => (await relay.templates.render('news', {})).html;
    expect(await html()).toBe('<p>one</p>');
    rmSync(templates, { recursive: true });
    await vi.waitFor(() => expect(errors).toHaveLength(1));
    expect(await html()).toBe('<p>one</p>');
    for (const text of ['two', 'three']) {
      mkdirSync(templates, { recursive: true });
      writeFileSync(join(templates, 'news.html'), `<p>${text}</p>`);
      await expect.poll(html).toBe(`<p>${text}</p>`);
    }
    rmSync(templates, { recursive: true });
    mkdirSync(templates);
    writeFileSync(join(templates, 'news.html'), '<p>four</p>');
    await expect.poll(html).toBe('<p>four</p>');
    writeFileSync(join(templates, 'news.html'), '<p>five</p>');
    await expect.poll(html).toBe('<p>five</p>');
  });

  it('is not watched in production', async () => {
    const templates = folderWith({ 'news.html': '<p>one</p>' });
    const relay = relayWith({ templates, environment: 'production' });
    expect((await relay.templates.render('news', {})).html).toBe('<p>one</p>');
    writeFileSync(join(templates, 'news.html'), '<p>two</p>');
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect((await relay.templates.render('news', {})).html).toBe('<p>one</p>');
  });
});

describe('a template in code', () => {
  it('has no partials and no layout, and says so at the start', async () => {
    for (const html of ['<p>{{> footer}}</p>', '---\nlayout: plain\n---\n<p>x</p>']) {
      const templates = [defineTemplate({ name: 'news', subject: 'News', html })];
      await expect(relayWith({ templates }).start()).rejects.toMatchObject({ code: 'TEMPLATE_INVALID' });
    }
  });
});
