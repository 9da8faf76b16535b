import { describe, expect, it } from 'vitest';
import { defineTemplate } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';
import { mjml, relayWithTemplates, section } from './support.ts';

const matter = '---\nsubject: Hi\n\n---\n';

describe('a fault in a template', () => {
  it.each([
    ['a block that is not closed', { 'a.html': `${matter}<p>x</p>\n<p>{{#if x}}</p>\n` }, 'a.html, line 6: {{#if x}}'],
    [
      'a block of MJML that is not closed',
      { 'a.mjml': `${matter}<mjml><mj-body>\n{{#if x}}${section('y')}\n</mj-body></mjml>` },
      'a.mjml, line 6: {{#if x}}',
    ],
    ['a block that is closed by another', { 'a.html': `${matter}<p>\n{{#if x}}{{/each}}</p>` }, 'a.html, line 6: if'],
    ['a tag that is cut off', { 'a.html': `${matter}<p>\n\n{{x}</p>` }, 'a.html, line 7'],
    ['a subject', { 'a.html': '---\npreheader: x\nsubject: "{{x"\n---\n<p>y</p>' }, 'a.html, line 3'],
    ['a field of the front matter', { 'a.html': '---\nsubject: x\nsubjct: x\n---\n<p>y</p>' }, 'a.html, line 3'],
    [
      'a partial',
      { 'a.html': `${matter}<p>\n{{> foot}}</p>`, 'partials/foot.html': 'x\n{{#if y}}' },
      'foot.html, line 2: {{#if y}}',
    ],
    [
      'what follows a partial',
      { 'a.html': `${matter}{{> foot}}\n<p>{{#if x}}</p>`, 'partials/foot.html': 'x\ny\n\n' },
      'a.html, line 6: {{#if x}}',
    ],
    [
      'a layout',
      { 'a.html': '---\nlayout: l\n---\nx\ny', 'layouts/l.html': '<p>\n{{{body}}}\n{{#if z}}</p>' },
      'l.html, line 3: {{#if z}}',
    ],
    ['MJML', { 'a.mjml': `${matter}${mjml(`\n${section('x')}\n<mj-nothing>y</mj-nothing>`)}` }, 'a.mjml, line 7'],
    ['a value between components', { 'a.mjml': `${matter}${mjml(`\n{{name}}${section('x')}`)}` }, 'a.mjml, line 6'],
    [
      'a helper that does not exist',
      { 'a.html': `${matter}<p>\n{{upper name}}</p>` },
      'a.html, line 6: there is no helper upper; known are if, unless, each, with',
    ],
    [
      'a block helper that does not exist',
      { 'a.html': `${matter}{{#upper name}}x{{/upper}}` },
      'a.html, line 5: there is no helper upper',
    ],
    [
      'a helper that does not exist in an argument',
      { 'a.html': `${matter}{{#if (eq a 1)}}x{{/if}}` },
      'a.html, line 5: there is no helper eq',
    ],
  ])('stops the start and names the line of the file: %s', async (_, files, place) => {
    await expect(relayWithTemplates(files).start()).rejects.toMatchObject({
      code: 'TEMPLATE_INVALID',
      message: expect.stringContaining(place),
    });
  });
});

describe('a thread', () => {
  it('loses nothing of what is said about a template or a value', async () => {
    const broken = relayWithTemplates({ 'a.html': `${matter}<p>\n{{#if x}}</p>` }, { thread: true });
    await expect(broken.start()).rejects.toMatchObject({
      code: 'TEMPLATE_INVALID',
      message: expect.stringContaining('a.html, line 6: {{#if x}}'),
    });
    const relay = relayWithTemplates(
      { 'a.html': `${matter}<p>{{#if gift}}{{gift.note}}{{/if}}{{name}}</p>` },
      { thread: true },
    );
    await expect(relay.templates.render('a', {})).rejects.toMatchObject({
      code: 'TEMPLATE_VARIABLE_MISSING',
      message: expect.stringMatching(/name, in .*a\.html \(line 5\)/),
    });
    await expect(
      relay.send({ to: 'ada@example.com', template: 'a', data: { gift: true, name: 'Ada' } }),
    ).rejects.toMatchObject({
      code: 'TEMPLATE_RENDER_FAILED',
      message: expect.stringMatching(/note is asked of true, which is no object, in .*a\.html \(line 5\)/),
      cause: expect.any(Error),
    });
    expect((await relay.templates.render('a', { name: '<1>' })).html).toContain('&lt;1&gt;');
  });
});

describe('a value that is missing', () => {
  const order = { name: 'Ada', order: {} };
  it.each([
    [
      'in HTML',
      { 'a.html': `${matter}<p>{{name}}</p>\n<p>{{order.number}}</p>` },
      order,
      /number, in .*a\.html \(line 6\)/,
    ],
    ['in MJML', { 'a.mjml': `${matter}${mjml(`\n${section('{{name}}\n{{order.number}}')}`)}` }, order, /\(line 7\)/],
    [
      'where the same name stands elsewhere as well',
      { 'a.html': `${matter}{{name}}\n{{#if order}}{{#each list}}\n{{name}}{{/each}}{{/if}}` },
      { ...order, list: [{}] },
      /name, in .*\(line 7\)/,
    ],
    ['in the subject', { 'a.html': '---\npreheader: x\nsubject: "{{number}}"\n---\n<p>y</p>' }, order, /\(line 3\)/],
    ['in the preheader', { 'a.html': '---\npreheader: "{{number}}"\n---\n<p>y</p>' }, order, /\(line 2\)/],
    ['in a text of its own', { 'a.html': '<p>y</p>', 'a.txt': '\n{{number}}' }, order, /a\.txt \(line 2\)/],
    [
      'in a partial',
      { 'a.html': `${matter}\n\n{{> foot}}`, 'partials/foot.html': 'x\n<p>{{number}}</p>' },
      order,
      /foot\.html \(line 2\)/,
    ],
    ['in a link', { 'a.html': `${matter}\n<a href="https://a.example/{{number}}">x</a>` }, order, /a\.html \(line 6\)/],
    ['far below', { 'a.html': '{{a.b.c}}' }, {}, /b, in .*\(line 1\)/],
    ['as the list of a loop', { 'a.html': '<p>\n{{#each items}}x{{/each}}</p>' }, {}, /items, in .*\(line 2\)/],
    ['as the list of a loop, below', { 'a.html': '{{#each order.items}}x{{/each}}' }, order, /items, in/],
    ['as what a block is about', { 'a.html': '{{#with address}}x{{/with}}' }, {}, /address, in/],
  ])('is an error that names it, and the line of the file: %s', async (_, files, data, message) => {
    await expect(relayWithTemplates(files).templates.render('a', data)).rejects.toMatchObject({
      code: 'TEMPLATE_VARIABLE_MISSING',
      message: expect.stringMatching(message),
    });
  });

  it('may be asked for by conditions, and a list may be null or empty', async () => {
    const relay = relayWithTemplates({
      'a.html':
        '{{#if x}}x{{else}}no x{{/if}} {{#unless y.z.w}}no y{{/unless}} {{#if o.p}}o.p{{/if}} {{#each list}}{{this}}{{/each}}{{#with none}}{{/with}}',
    });
    const html = async (data: object): Promise<string | undefined> => (await relay.templates.render('a', data)).html;
    expect(await html({ list: null, none: null })).toBe('no x no y  ');
    expect(await html({ x: 1, y: { z: { w: 1 } }, o: { p: 1 }, list: [7], none: null })).toBe('x  o.p 7');
    expect(await html({ x: 1, y: 'text', o: 7, list: [], none: null })).toBe('x no y  ');
  });

  it('is told from a value of the wrong kind', async () => {
    const relay = relayWithTemplates({ 'a.html': `${matter}{{#if gift}}\n{{gift.note}}{{/if}}` });
    await expect(relay.send({ to: 'ada@example.com', template: 'a', data: { gift: true } })).rejects.toMatchObject({
      code: 'TEMPLATE_RENDER_FAILED',
      message: expect.stringMatching(/note is asked of true, which is no object, in .*a\.html \(line 6\)/),
      cause: expect.any(Error),
    });
    expect((await relay.templates.render('a', { gift: { note: 'hi' } })).html).toContain('hi');
  });
});

describe('a function that fails', () => {
  it('is an error of rendering, with its cause', async () => {
    const card = defineTemplate({
      name: 'card',
      render: () => {
        throw new RangeError('no such card');
      },
    });
    const relay = relayWith({ templates: [card] });
    await expect(relay.send({ to: 'ada@example.com', template: card, data: {} })).rejects.toMatchObject({
      code: 'TEMPLATE_RENDER_FAILED',
      message: expect.stringContaining('no such card'),
      cause: expect.any(RangeError),
    });
  });
});
