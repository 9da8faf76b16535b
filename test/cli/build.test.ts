import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AnyTemplate, createMailRelay, type MailRelay } from '@mailrelay/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { relayWith } from '../support/relay.ts';
import { command, folderWith, mjml } from './support.ts';

const ROOT = join(import.meta.dirname, '../..');
const files = {
  'welcome.mjml': mjml('Welcome, {{name}}', '<mj-text>Hello {{name}} {{#if gift}}with {{gift.title}}{{/if}}</mj-text>'),
  'welcome.fr.mjml': mjml('Bienvenue, {{name}}', '<mj-text>Bonjour {{name}}</mj-text>'),
  'account/new-order.html': `---
subject: Order {{number}}
---
{{#each items}}<p>{{title}} {{../currency}} {{#each tags}}{{this}}{{/each}}</p>{{/each}}
{{#with address}}{{street}}{{/with}}<a href="{{unsubscribeUrl}}">x</a>{{recipient.email}}`,
  'plain.html': '---\nsubject: Plain\n---\n<p>Nothing to fill in</p>',
};
const plain = { 'plain.html': files['plain.html'] };
const data = { name: 'Ada' };

/** Below the repository, so that the module finds the packages. */
function outFile(): string {
  const folder = mkdtempSync(join(ROOT, 'test/cli/.built-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'emails.generated.ts');
}

async function built(): Promise<{ folder: string; out: string; templates: readonly AnyTemplate[] }> {
  const folder = folderWith(files);
  const out = outFile();
  expect(await command('templates', 'build', folder, '--out', out)).toEqual({
    code: 0,
    printed: `${out} has 3 templates`,
    complaints: '',
  });
  const { templates } = (await import(out)) as { templates: readonly AnyTemplate[] };
  return { folder, out, templates };
}

describe('templates build', () => {
  it.skipIf(process.platform !== 'linux').each(['/proc/mailrelay/deep/emails.ts', '/proc/self/maps/emails.ts', '/tmp'])(
    'says so where the module cannot be written: %s',
    async (out) => {
      const { code, complaints } = await command('templates', 'build', folderWith(plain), '--out', out);
      expect(code).toBe(1);
      expect(complaints).toMatch(/cannot be written: E|must end in \.ts/);
      expect(complaints.split('\n')).toHaveLength(1);
    },
  );

  it.each(['emails.js', 'emails.d.ts', 'emails'])('writes a module with types into no %s', async (out) => {
    expect(await command('templates', 'build', folderWith(plain), '--out', out)).toMatchObject({
      code: 1,
      complaints: `${out} must end in .ts: the module has types`,
    });
  });

  it('explains that two templates would have one name in the module', async () => {
    const folder = folderWith({ 'a-b.html': '<p>x</p>', 'a_b.html': '<p>x</p>' });
    expect(await command('templates', 'build', folder, '--out', outFile())).toMatchObject({
      code: 1,
      complaints: expect.stringMatching(/^two templates would be called aB in the module: rename a[-_]b$/),
    });
  });

  it('finds names for templates in every script, and none that a module may not have', async () => {
    const names = ['résumé', '日本', '中国', 'eval', 'arguments', '2fa', 'm²'];
    const out = outFile();
    const folder = folderWith(Object.fromEntries(names.map((name) => [`${name}.html`, '<p>x</p>'])));
    expect(await command('templates', 'build', folder, '--out', out)).toMatchObject({ code: 0, complaints: '' });
    expect(Object.keys((await import(out)) as object).sort()).toEqual(
      ['_2faTemplate', 'argumentsTemplate', 'evalTemplate', 'm', 'résumé', 'templates', '中国', '日本'].sort(),
    );
  });

  it('knows the names that a block gives to its values', async () => {
    const out = outFile();
    const text =
      '{{#each items as |item i|}}{{i}} {{item.title}} {{#with item.shop as |s|}}{{s.name}}{{/with}}{{/each}}';
    await command('templates', 'build', folderWith({ 'list.html': `<p>${text}</p>` }), '--out', out);
    const any = 'string | number | boolean';
    expect(readFileSync(out, 'utf8')).toContain(
      `ListData = { readonly items: readonly { readonly title: ${any}; readonly shop: { readonly name: ${any} } }[] };`,
    );
  });

  it('makes the folders above the module', async () => {
    const out = join(outFile(), 'deep/er/emails.ts');
    expect(await command('templates', 'build', folderWith(plain), '--out', out)).toMatchObject({ code: 0 });
    expect(existsSync(out)).toBe(true);
  });

  it('makes a module that the relay takes in place of the folder, with the same mails and versions', async () => {
    const { folder, templates } = await built();
    const relays: MailRelay[] = [
      relayWith({ thread: false, templates }),
      relayWith({ thread: false, templates: folder }),
    ];
    for (const [name, locale] of [
      ['welcome', undefined],
      ['welcome', 'fr-CA'],
      ['plain', undefined],
    ] as const) {
      const [made, read] = await Promise.all(
        relays.map((relay) => relay.templates.render(name, data, locale === undefined ? {} : { locale })),
      );
      expect(made).toEqual(read);
    }
    const [one] = relays as [MailRelay];
    const { id } = await one.send({ to: 'ada@example.com', template: 'welcome', data, locale: 'fr' });
    expect((await one.messages.get(id))?.subject).toBe('Bienvenue, Ada');
  });

  it('crosses into the thread of the engine', async () => {
    const { templates } = await built();
    const relay = relayWith({ templates });
    expect((await relay.templates.render('welcome', data)).subject).toBe('Welcome, Ada');
  });

  it('makes mails whose missing variables are errors that name the file', async () => {
    const { templates } = await built();
    await expect(relayWith({ thread: false, templates }).templates.render('welcome', {})).rejects.toMatchObject({
      code: 'TEMPLATE_VARIABLE_MISSING',
      message: expect.stringContaining('name, in welcome.mjml'),
    });
  });

  it('gives each template the type of its data', async () => {
    const { out } = await built();
    const text = readFileSync(out, 'utf8');
    const leaf = 'string | number | boolean';
    expect(text).toContain(
      `export type WelcomeData = { readonly name: ${leaf}; readonly gift?: { readonly title: ${leaf} } | null | undefined };`,
    );
    expect(text).toContain(
      `export type AccountNewOrderData = { readonly number: ${leaf}; readonly items: readonly { readonly title: ${leaf}; readonly tags: readonly (${leaf})[] }[]; readonly currency: ${leaf}; readonly address: { readonly street: ${leaf} } };`,
    );
    expect(text).toContain('export type PlainData = Record<string, never>;');
  });

  it('makes a module that type-checks, and so do its users: data that does not fit does not', async () => {
    const { out } = await built();
    const user = join(out, '../user.ts');
    writeFileSync(
      user,
      `import { createMailRelay } from '@mailrelay/core';
import { templates, welcome } from './emails.generated.ts';
const relay = createMailRelay({ templates });
await relay.send({ to: 'a@b.example', template: welcome, data: { name: 'Ada' } });
await relay.send({ to: 'a@b.example', template: 'welcome', data: { name: 'Ada' } });
// @ts-expect-error
await relay.send({ to: 'a@b.example', template: welcome, data: { nmae: 'Ada' } });
// @ts-expect-error
await relay.send({ to: 'a@b.example', template: 'account/new-order', data: { number: 1 } });
`,
    );
    const tsconfig = join(out, '../tsconfig.json');
    const compilerOptions = { noEmit: true, composite: false, customConditions: ['@mailrelay/source'] };
    writeFileSync(
      tsconfig,
      JSON.stringify({ extends: '../../../tsconfig.base.json', compilerOptions, include: ['*.ts'] }),
    );
    expect(execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', tsconfig], { encoding: 'utf8' })).toBe('');
  });

  it('tells with --check that a module is older than its templates', async () => {
    const { folder, out } = await built();
    expect((await command('templates', 'build', folder, '--out', out, '--check')).code).toBe(0);
    writeFileSync(join(folder, 'plain.html'), '---\nsubject: Other\n---\nx');
    const { code, complaints } = await command('templates', 'build', folder, '--out', out, '--check');
    expect([code, complaints]).toEqual([1, expect.stringContaining('is older than the templates')]);
    expect(readFileSync(out, 'utf8')).not.toContain('Other');
  });

  it('names the file and line of what does not compile', async () => {
    const folder = folderWith({ 'bad.mjml': mjml('x', '<mj-text>{{#if a}}</mj-text>') });
    const { code, complaints } = await command('templates', 'build', folder, '--out', outFile());
    expect([code, complaints]).toEqual([1, expect.stringMatching(/bad\.mjml, line 4: \{\{#if a\}\} is not closed/)]);
  });
});

describe('a compiled template in code', () => {
  it('is checked like every option', () => {
    const compiled = { version: 'v', locales: { '': { path: 'p', subject: 's', html: 'h' } } };
    expect(() => createMailRelay({ templates: [{ name: 'x', compiled } as unknown as AnyTemplate] })).toThrow(
      /templates\[0\]\.compiled\.locales\.\.text` is missing/,
    );
  });
});
