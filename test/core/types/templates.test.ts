import { defineTemplate, type MailRelay } from '@mailrelay/core';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { relayWith } from '../../support/relay.ts';

const to = 'ada@example.com';
const welcome = defineTemplate({
  name: 'welcome',
  schema: z.object({ name: z.string() }),
  subject: 'Hello {{name}}',
  html: '<p>{{name}}</p>',
});
const goodbye = defineTemplate({
  name: 'goodbye',
  schema: v.object({ name: v.pipe(v.string(), v.trim(), v.minLength(2)), since: v.optional(v.number(), 1999) }),
  subject: 'Goodbye {{name}}',
  html: '<p>{{name}} since {{since}}</p>',
});
const order = defineTemplate({
  name: 'order',
  render: (data: { readonly id: number }) => ({ subject: `Order ${data.id}`, text: 'Thank you' }),
});

/** Never runs: the compiler checks it. */
async function typed(relay: MailRelay): Promise<void> {
  await relay.send({ to, template: welcome, data: { name: 'Ada' } });
  // @ts-expect-error: a name is text
  await relay.send({ to, template: welcome, data: { name: 5 } });
  // @ts-expect-error: the name is missing
  await relay.send({ to, template: welcome, data: {} });
  // @ts-expect-error: the template has no such variable
  await relay.send({ to, template: welcome, data: { name: 'Ada', nmae: 'Ada' } });

  await relay.send({ to, template: goodbye, data: { name: 'Ada' } });
  // @ts-expect-error: a year is a number
  await relay.send({ to, template: goodbye, data: { name: 'Ada', since: 'always' } });

  await relay.send({ to, template: order, data: { id: 7 } });
  // @ts-expect-error: an id is a number
  await relay.send({ to, template: order, data: { id: '7' } });

  await relay.send({ to, template: 'any-file', data: { anything: true } });
  await relay.send({ to, template: to.slice(1) });
  // @ts-expect-error: the data are missing
  await relay.send({ to, template: welcome });
  // @ts-expect-error: the data are missing
  await relay.templates.render(order);
  // @ts-expect-error: data have names
  await relay.templates.render('any-file', 'text');

  await relay.sendMany([{ to, data: { name: 'Ada' } }, to], { template: goodbye, data: { name: 'you' } });
  await relay.sendMany([to, { to, data: { anything: true } }], { template: 'any-file' });
  // @ts-expect-error: nobody gives the name
  await relay.sendMany([to], { template: welcome });
  // @ts-expect-error: a name is text
  await relay.sendMany([{ to, data: { name: 5 } }], { template: welcome });

  relay.on('bounced', (event) => void expectTypeOf(event.kind).toEqualTypeOf<'hard' | 'soft'>());
  relay.on('clicked', ({ url }) => void expectTypeOf(url).toEqualTypeOf<string>());
  relay.on('event', (event) => {
    if (event.type === 'clicked') expectTypeOf(event.url).toEqualTypeOf<string>();
  });
  // @ts-expect-error: an event that was sent has no address of a link
  relay.on('sent', ({ url }) => url);
  // @ts-expect-error: there is no such event
  relay.on('bounce', () => {});
}

it('data of templates and events are typed', () => expect(typed).toBeTypeOf('function'));

describe.each([
  ['zod', welcome, { name: 5 }],
  ['valibot', goodbye, { name: ' A ' }],
] as const)('a schema of %s', (_, template, bad) => {
  it('refuses data that do not fit, and says where', async () => {
    const relay = relayWith({ thread: false, templates: [welcome, goodbye] });
    await expect(relay.send({ to, template: template.name, data: bad })).rejects.toMatchObject({
      code: 'TEMPLATE_DATA_INVALID',
      details: { template: template.name, issues: [{ path: 'name' }] },
    });
    const people = [{ to, data: bad }];
    expect((await relay.sendMany(people, { template: template.name })).rejections).toMatchObject([
      { index: 0, code: 'TEMPLATE_DATA_INVALID' },
    ]);
  });
});

it('a schema gives its defaults and what it makes of values to the template', async () => {
  const relay = relayWith({ thread: false, templates: [goodbye] });
  const { subject, html } = await relay.templates.render(goodbye, { name: '  Ada ' });
  expect([subject, html]).toEqual(['Goodbye Ada', '<p>Ada since 1999</p>']);
});

it('a schema that throws is told as an error of the data', async () => {
  const schema = z.object({}).transform(() => {
    throw new Error('the tables are gone');
  });
  const broken = defineTemplate({ name: 'broken', schema: schema as never, html: 'x' });
  const relay = relayWith({ thread: false, templates: [broken] });
  await expect(relay.send({ to, template: 'broken', data: {} })).rejects.toMatchObject({
    code: 'TEMPLATE_DATA_INVALID',
    message: expect.stringContaining('the tables are gone'),
  });
});
