import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineTemplate } from '../../../packages/core/src/index.ts';
import { capturedMails, relayWith } from '../../support/relay.ts';
import { folderWith, mjml, relayWithTemplates, section } from './support.ts';

describe('blocks around MJML components', () => {
  it.each([
    ['sections', `{{#each list}}${section('<b>{{this}}</b>')}{{/each}}`],
    [
      'columns',
      '<mj-section>{{#each list}}<mj-column><mj-text><b>{{this}}</b></mj-text></mj-column>{{/each}}</mj-section>',
    ],
    [
      'texts in a column',
      '<mj-section><mj-column>{{#each list}}<mj-text><b>{{this}}</b></mj-text>{{/each}}</mj-column></mj-section>',
    ],
    [
      'rows of a table',
      '<mj-section><mj-column><mj-table>{{#each list}}<tr><td><b>{{this}}</b></td></tr>{{/each}}</mj-table></mj-column></mj-section>',
    ],
    ['words', section('{{#each list}}<b>{{this}}</b>{{/each}}')],
    ['a wrapper', `<mj-wrapper>{{#each list}}${section('<b>{{this}}</b>')}{{/each}}</mj-wrapper>`],
    ['a partial with sections', '{{#each list}}{{> one}}{{/each}}'],
  ])('repeat %s', async (_, body) => {
    const relay = relayWithTemplates({ 'a.mjml': mjml(body), 'partials/one.mjml': section('<b>{{this}}</b>') });
    for (const list of [[], ['x'], ['x', 'y', 'z']]) {
      const { html = '', text } = await relay.templates.render('a', { list });
      expect([...html.matchAll(/<b>(\w)<\/b>/g)].map(([, item]) => item)).toEqual(list);
      expect(text.replace(/\s/g, '')).toBe(list.join(''));
    }
  });

  it('choose between them, nested and with comments', async () => {
    const body = `{{! a remark }}<!-- {{#if not}} -->{{#if a}}${section('A')}{{#unless b}}${section('not b')}{{else}}${section('B')}{{/unless}}{{else}}${section('none')}{{/if}}`;
    const relay = relayWithTemplates({ 'a.mjml': mjml(body) });
    const words = async (a: boolean, b: boolean): Promise<string> =>
      (await relay.templates.render('a', { a, b })).text.replace(/\s+/g, ' ').trim();
    expect([await words(true, true), await words(true, false), await words(false, true)]).toEqual([
      'A B',
      'A not b',
      'none',
    ]);
  });

  it('are refused where MJML would drop them', async () => {
    const body = `<mj-section><mj-column><mj-image src="a.png">{{#if x}}y{{/if}}</mj-image></mj-column></mj-section>`;
    const relay = relayWithTemplates({ 'a.mjml': mjml(body) });
    await expect(relay.start()).rejects.toMatchObject({
      code: 'TEMPLATE_INVALID',
      message: expect.stringContaining('{{#if x}}'),
    });
  });
});

describe('languages', () => {
  const files = {
    'hi.html': '---\nsubject: Hello\n---\n<p>Hello {{name}}</p>',
    'hi.fr.html': '---\nsubject: Bonjour\npreheader: "{{name}}, lisez"\n---\n<p>Bonjour {{name}}</p>',
    'hi.pt-BR.html': '<p>Oi {{name}}</p>',
    'hi.pt-BR.subject.txt': 'Oi\n',
    'hi.fr.txt': 'Texte pour {{name}} & co',
    'only.de.html': '<p>Nur deutsch</p>',
  };

  it.each([
    [undefined, 'Hello'],
    ['fr', 'Bonjour'],
    ['fr-CA', 'Bonjour'],
    ['pt-BR', 'Oi'],
    ['pt', 'Hello'],
    ['ja', 'Hello'],
  ])('for %s is %s', async (locale, subject) => {
    const relay = relayWithTemplates(files);
    const mail = await relay.templates.render('hi', { name: 'Ada' }, locale === undefined ? {} : { locale });
    expect(mail.subject).toBe(subject);
    expect(mail.html).toContain(`${subject} Ada`);
  });

  it('have a text and a preheader of their own', async () => {
    const relay = relayWithTemplates(files);
    const french = await relay.templates.render('hi', { name: 'Ada & Bob' }, { locale: 'fr' });
    expect(french.text).toBe('Texte pour Ada & Bob & co');
    expect(french.html).toMatch(/<div[^>]*display:none[^>]*>Ada &amp; Bob, lisez<\/div>/);
    expect((await relay.templates.render('hi', { name: 'Ada' })).text).toBe('Hello Ada');
    expect((await relay.templates.render('only', {}, { locale: 'fr' })).html).toContain('Nur deutsch');
  });

  it('are chosen per recipient', async () => {
    const relay = relayWithTemplates(files);
    const people = [
      { to: 'a@example.com', data: { name: 'A' }, locale: 'fr' },
      { to: 'b@example.com', data: { name: 'B' } },
    ];
    await relay.sendMany(people, { campaign: 'hi', template: 'hi' });
    const subjects = await Promise.all(
      (await capturedMails(relay, 2)).map(async (mail) => (await simpleParser(mail)).subject),
    );
    expect(subjects.sort()).toEqual(['Bonjour', 'Hello']);
  });
});

describe('partials and layouts', () => {
  it('are put in before MJML sees the template, in each other as well', async () => {
    const relay = relayWithTemplates({
      'a.mjml': `---\nsubject: A\nlayout: plain\n---\n${section('{{x}}')}`,
      'layouts/plain.mjml': '<mjml><mj-body>{{> parts/head}}{{{body}}}{{> foot}}</mj-body></mjml>',
      'partials/parts/head.mjml': section('head {{x}}'),
      'partials/foot.mjml': section('foot {{> name}}'),
      'partials/name.html': '<i>{{x}}</i>',
    });
    expect((await relay.templates.render('a', { x: 1 })).text.replace(/\s+/g, ' ')).toBe('head 1 1 foot 1');
  });

  it.each([
    ['{{> ../secret}}', {}],
    ['{{> ../../secret}}', {}],
    ['{{> /etc/hosts}}', {}],
    ['{{> (lookup . "x")}}', {}],
    ['{{#> foot}}x{{/foot}}', { 'partials/foot.html': 'y' }],
    ['---\nlayout: ../../secret\n---\nx', {}],
  ])('cannot reach out of the folder: %s', async (source, more) => {
    const outer = folderWith({
      'secret.html': 'secret {{{body}}}',
      'emails/a.html': source,
      'emails/secret.html': 's',
    });
    const files = Object.fromEntries(Object.entries(more).map(([name, text]) => [`emails/${name}`, text]));
    const path = Object.keys(files).length === 0 ? outer : folderWith({ 'emails/a.html': source, ...files });
    await expect(relayWith({ templates: join(path, 'emails') }).start()).rejects.toMatchObject({
      code: 'TEMPLATE_INVALID',
    });
  });

  it('cannot reach out by a link either', async () => {
    const path = folderWith({ 'a.html': '{{> leak}}', 'partials/x.html': '' });
    symlinkSync(join(folderWith({ 'secret.html': 'secret' }), 'secret.html'), join(path, 'partials/leak.html'));
    await expect(relayWith({ templates: path }).start()).rejects.toMatchObject({
      code: 'TEMPLATE_INVALID',
      message: expect.stringContaining('outside'),
    });
  });
});

describe('values', () => {
  it('are escaped in HTML and subject lines, and as they are in text', async () => {
    const relay = relayWithTemplates({
      'a.html': '---\nsubject: For {{name}}\n---\n<p title="{{name}}">{{name}}{{{html}}}</p>',
      'a.txt': '{{name}}',
    });
    const mail = await relay.templates.render('a', { name: '<"Ada">\r\nBcc: x', html: '<b>' });
    expect(mail.html).toBe(
      '<p title="&lt;&quot;Ada&quot;&gt;\nBcc: x">&lt;&quot;Ada&quot;&gt;\nBcc: x<b></p>'.replaceAll('\n', '\n'),
    );
    expect(mail.subject).not.toMatch(/[\r\n]/);
    expect(mail.text).toContain('<"Ada">');
  });

  it('that are missing are an error with variable, file and line, before anything is stored', async () => {
    const relay = relayWithTemplates({ 'a.html': '---\nsubject: A\n---\n<p>{{name}}</p>\n<p>\n{{order.number}}</p>' });
    await expect(
      relay.send({ to: 'ada@example.com', template: 'a', data: { name: 'Ada', order: {} } }),
    ).rejects.toMatchObject({
      code: 'TEMPLATE_VARIABLE_MISSING',
      message: expect.stringMatching(/number.*a\.html.*line \d/),
    });
    expect((await relay.messages.list()).items).toEqual([]);
    const people = [
      { to: 'a@example.com', data: { name: 'A', order: { number: 1 } } },
      { to: 'b@example.com', data: { name: 'B' } },
      { to: 'c@example.com', data: { name: 'C', order: { number: 3 } } },
    ];
    const { accepted, rejections } = await relay.sendMany(people, { campaign: 'a', template: 'a' });
    expect([accepted, rejections.map(({ index, code }) => [index, code])]).toEqual([
      2,
      [[1, 'TEMPLATE_VARIABLE_MISSING']],
    ]);
  });

  it('never come from prototypes', async () => {
    const relay = relayWithTemplates({ 'a.html': '<p>{{constructor.name}}</p>', 'b.html': '<p>{{x.toString}}</p>' });
    await expect(relay.templates.render('a', {})).rejects.toMatchObject({ code: 'TEMPLATE_VARIABLE_MISSING' });
    expect((await relay.templates.render('b', { x: {} })).html).toBe('<p></p>');
  });
});

describe('templates in code', () => {
  const invoice = defineTemplate({
    name: 'invoice',
    schema: z.object({ total: z.number().positive(), note: z.string().default('thank you') }),
    subject: 'Invoice over {{total}}',
    html: '<p>{{total}}, {{note}}</p>',
  });
  const card = defineTemplate({
    name: 'card',
    render: async ({ name }: { name: string }) => ({
      subject: `Hi ${name}`,
      html: `<p>Hi ${name}</p>`,
      text: `Hi ${name}`,
    }),
  });

  it('check data by their schema, fill in its defaults, and store nothing that does not fit', async () => {
    const relay = relayWith({ templates: [invoice] });
    expect((await relay.templates.render(invoice, { total: 12 })).html).toBe('<p>12, thank you</p>');
    await expect(relay.send({ to: 'ada@example.com', template: invoice, data: { total: -1 } })).rejects.toMatchObject({
      code: 'TEMPLATE_DATA_INVALID',
      message: expect.stringContaining('total'),
    });
    const people = [
      { to: 'a@example.com', data: { total: 1 } },
      { to: 'b@example.com', data: { total: 'x' as never } },
    ];
    const result = await relay.sendMany(people, { campaign: 'i', template: invoice });
    expect(result.rejections).toMatchObject([{ index: 1, code: 'TEMPLATE_DATA_INVALID' }]);
    expect((await relay.messages.list()).items).toHaveLength(1);
    expect((await simpleParser((await capturedMails(relay, 1))[0] ?? '')).subject).toBe('Invoice over 1');
  });

  it('can be functions, once per recipient', async () => {
    const relay = relayWith({ templates: [card], tracking: { clicks: false, opens: false } });
    await relay.sendMany(
      [
        { to: 'a@example.com', data: { name: 'Ada' } },
        { to: 'b@example.com', data: { name: 'Bob' } },
      ],
      {
        campaign: 'c',
        template: card,
      },
    );
    const mails = await Promise.all((await capturedMails(relay, 2)).map((mail) => simpleParser(mail)));
    expect(mails.map(({ subject, text, html }) => [subject, text?.trim(), html])).toEqual([
      ['Hi Bob', 'Hi Bob', '<p>Hi Bob</p>'],
      ['Hi Ada', 'Hi Ada', '<p>Hi Ada</p>'],
    ]);
  });

  it('cannot be two of one name', () => {
    expect(() => relayWith({ templates: [invoice, invoice] })).toThrow(/invoice/);
  });
});
