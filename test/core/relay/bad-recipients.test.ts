import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { defineTemplate, type MailRelay } from '../../../packages/core/src/index.ts';
import { capturedMails, relayWith } from '../../support/relay.ts';

const picky = defineTemplate({
  name: 'picky',
  schema: {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate(value) {
        if ((value as { name?: string }).name === 'boom') throw new TypeError('boom');
        return { value };
      },
    },
  },
  subject: 'Hi',
  html: '<p>Hi</p>',
});
const parts = (answer: (name: string) => unknown) =>
  defineTemplate({ name: 'parts', render: ({ name }: { name: string }) => answer(name) as never });

/** Codes of what is rejected between two good recipients, by index; and the code that `send()` throws for it. */
async function both(relay: MailRelay, bad: object, template: never): Promise<unknown[]> {
  const good = (to: string) => ({ to, data: { name: 'good' } });
  const people = [good('a@example.com'), { ...good('bad@example.com'), ...bad }, good('c@example.com')];
  const { accepted, rejections } = await relay.sendMany(people as never, { template });
  const message = { ...good('bad@example.com'), ...bad, template } as never;
  const thrown: unknown = await relay.send(message).then(
    () => undefined,
    (error: { code: string }) => error.code,
  );
  return [accepted, rejections.map(({ index, code }) => [index, code]), thrown];
}

describe('one bad recipient', () => {
  const hello = defineTemplate({ name: 'hello', subject: 'S', html: '<p>Hello</p>' });

  it.each([
    ['a name that is no text', { to: { name: 5, address: 'bad@example.com' } }, hello, 'ADDRESS_INVALID'],
    ['data at which the schema throws', { data: { name: 'boom' } }, picky, 'TEMPLATE_DATA_INVALID'],
    [
      'a function template that answers no text',
      { data: { name: 'number' } },
      parts((name) => ({ subject: 'S', html: name === 'number' ? 5 : '<p>x</p>' })),
      'TEMPLATE_INVALID',
    ],
    [
      'a function template that answers nothing',
      { data: { name: 'nothing' } },
      parts((name) => (name === 'nothing' ? null : { subject: 'S', text: 'x' })),
      'TEMPLATE_INVALID',
    ],
    [
      'a function template of which a part fails',
      { data: { name: 'late' } },
      parts((name) => ({ subject: 'S', html: name === 'late' ? Promise.reject(new Error('late')) : '<p>x</p>' })),
      'TEMPLATE_RENDER_FAILED',
    ],
  ])('does not keep the others from their mail: %s', async (_, bad, template, code) => {
    const relay = relayWith({ templates: [template as never], thread: false, queue: { deliver: false } });
    expect(await both(relay, bad, template as never)).toEqual([2, [[1, code]], code]);
  });

  it.each(['toString', 'valueOf'])('may have %s as its language, which no template has', async (locale) => {
    const relay = relayWith({ templates: [hello], thread: false, queue: { deliver: false } });
    expect(await both(relay, { locale }, hello as never)).toEqual([3, [], undefined]);
  });
});

describe('a function template', () => {
  it('may answer promises of its parts', async () => {
    const relay = relayWith({ thread: false, tracking: { opens: false, clicks: false } });
    const template = defineTemplate({
      name: 'late',
      render: () => ({ subject: 'S', html: Promise.resolve('<p>late</p>'), text: Promise.resolve('late') }),
    });
    await relay.send({ to: 'ada@example.com', template });
    const { html, text } = await simpleParser((await capturedMails(relay, 1))[0] ?? '');
    expect([html, text?.trim()]).toEqual(['<p>late</p>', 'late']);
  });
});
