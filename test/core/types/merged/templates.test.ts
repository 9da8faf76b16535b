import { type BulkRecipient, defineTemplate, type MailRelay, type SendMessage } from '@mailrelay/core';
import { expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

// A program of its own (`tsconfig.json` beside this file), since merging counts for the whole program.
declare module '@mailrelay/core' {
  interface Templates {
    receipt: { readonly total: string; readonly note?: string };
    news: { readonly name: string; readonly issue: number };
    plain: Record<never, never>;
  }
}

const to = 'ada@example.com';
const welcome = defineTemplate({ name: 'welcome', schema: z.object({ name: z.string() }), html: '<p>{{name}}</p>' });

/** Never runs: the compiler checks it. */
async function named(relay: MailRelay): Promise<void> {
  await relay.send({ to, template: 'receipt', data: { total: '12 EUR' } });
  await relay.send({ to, template: 'plain' });
  await relay.send({ to, subject: 'Hello', text: 'Hello' });
  await relay.send({ to, template: welcome, data: { name: 'Ada' } });
  // @ts-expect-error: a total is text
  await relay.send({ to, template: 'receipt', data: { total: 12 } });
  // @ts-expect-error: the template has no such variable
  await relay.send({ to, template: 'receipt', data: { total: '12 EUR', totl: '' } });
  // @ts-expect-error: the data are missing
  await relay.send({ to, template: 'receipt' });
  // @ts-expect-error: there is no such template
  await relay.send({ to, template: 'reciept', data: { total: '12 EUR' } });

  await relay.templates.render('plain');
  await relay.templates.render('receipt', { total: '12 EUR' }, { locale: undefined });
  // @ts-expect-error: the data are missing
  await relay.templates.render('receipt');
  // @ts-expect-error: the total is missing
  await relay.templates.render('receipt', {});
  // @ts-expect-error: there is no such template
  await relay.templates.render('reciept', { total: '12 EUR' });
}

async function many(relay: MailRelay): Promise<void> {
  await relay.sendMany([{ to, data: { name: 'Ada', issue: 7 } }], { template: 'news' });
  await relay.sendMany([{ to, data: { name: 'Ada' } }], { template: 'news', data: { issue: 7 } });
  await relay.sendMany([{ to, data: { name: 'Ada', issue: 8 } }], { template: 'news', data: { issue: 7 } });
  await relay.sendMany([to, { to, data: { name: 'Ada' } }], { template: 'news', data: { name: 'you', issue: 7 } });
  await relay.sendMany([to], { template: 'plain' });
  // @ts-expect-error: nobody gives the name
  await relay.sendMany([{ to }], { template: 'news', data: { issue: 7 } });
  // @ts-expect-error: nobody gives the name
  await relay.sendMany([to], { template: 'news', data: { issue: 7 } });
  // @ts-expect-error: nobody gives the issue
  await relay.sendMany([{ to, data: { name: 'Ada' } }], { template: 'news' });
  // @ts-expect-error: an issue is a number
  await relay.sendMany([{ to, data: { name: 'Ada' } }], { template: 'news', data: { issue: '7' } });
  // @ts-expect-error: the template has no such variable
  await relay.sendMany([{ to, data: { name: 'Ada' } }], { template: 'news', data: { issue: 7, isue: 7 } });
  // @ts-expect-error: a name is text
  await relay.sendMany([{ to, data: { name: 5 } }], { template: 'news', data: { issue: 7 } });
  // @ts-expect-error: there is no such template
  await relay.sendMany([to], { template: 'nwes' });
}

/** A function of the host's that passes messages and recipients on. */
async function wrapped(relay: MailRelay, message: SendMessage, people: AsyncIterable<BulkRecipient<'news', 'issue'>>) {
  await relay.send(message);
  await relay.sendMany(people, { template: 'news', data: { issue: 7 } });
  expectTypeOf({ to, template: 'plain' } as const).toExtend<SendMessage>();
}

it('names and data of templates are typed by what the host has merged', () => {
  for (const checked of [named, many, wrapped]) expect(checked).toBeTypeOf('function');
});
