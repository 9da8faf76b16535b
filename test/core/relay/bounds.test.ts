import { describe, expect, it } from 'vitest';
import { defineTemplate, type MailRelay, type SendMessage } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';

const mail = { to: 'ada@example.com', subject: 'Hi', text: 'Hello' } as const;
const x = (count: number): string => 'x'.repeat(count);
const times = <T>(count: number, of: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => of(index));
/** Metadata of so many bytes as JSON. */
const metadata = (bytes: number): object => ({ a: x(bytes - '{"a":""}'.length) });
/** Headers of so many bytes together. */
const headers = (bytes: number): object => ({
  'X-A': times(31, () => `${x(500)} ${x(520)}`),
  'X-B': `${x(500)} ${x(bytes - 31 * (3 + 1021) - 3 - 501)}`,
});
const ids = (count: number): string[] => times(count, (index) => `<${`${index}`.padStart(60, '0')}@example.com>`);

function relayFor(): MailRelay {
  return relayWith({ thread: false, queue: { deliver: false } });
}

interface Bound {
  readonly most: object;
  readonly over: object;
  readonly code: 'MESSAGE_INVALID' | 'HEADER_INVALID';
  readonly says: RegExp;
}

const bounds: Readonly<Record<string, Bound>> = {
  subject: { most: { subject: x(1000) }, over: { subject: x(1001) }, code: 'MESSAGE_INVALID', says: /subject.*1000/ },
  campaign: { most: { campaign: x(200) }, over: { campaign: x(201) }, code: 'MESSAGE_INVALID', says: /campaign.*200/ },
  topic: { most: { topic: x(200) }, over: { topic: x(201) }, code: 'MESSAGE_INVALID', says: /topic.*200/ },
  idempotencyKey: {
    most: { idempotencyKey: x(200) },
    over: { idempotencyKey: x(201) },
    code: 'MESSAGE_INVALID',
    says: /idempotencyKey.*200/,
  },
  'a tag': { most: { tags: [x(200)] }, over: { tags: [x(201)] }, code: 'MESSAGE_INVALID', says: /tags.*200/ },
  tags: {
    most: { tags: times(50, (index) => `t${index}`) },
    over: { tags: times(51, (index) => `t${index}`) },
    code: 'MESSAGE_INVALID',
    says: /tags.*50/,
  },
  metadata: {
    most: { metadata: metadata(16_384) },
    over: { metadata: metadata(16_385) },
    code: 'MESSAGE_INVALID',
    says: /metadata.*16385 bytes.*16384/,
  },
  'metadata, which counts in bytes': {
    most: { metadata: { a: 'é'.repeat(8188) } },
    over: { metadata: { a: 'é'.repeat(8189) } },
    code: 'MESSAGE_INVALID',
    says: /metadata.*16386 bytes/,
  },
  'the number of headers': {
    most: { headers: { 'X-A': times(99, () => 'b') }, list: { help: 'help@example.com' } },
    over: { headers: { 'X-A': times(100, () => 'b') }, list: { help: 'help@example.com' } },
    code: 'HEADER_INVALID',
    says: /101 headers.*100/,
  },
  'the size of headers': {
    most: { headers: headers(32_768) },
    over: { headers: headers(32_769) },
    code: 'HEADER_INVALID',
    says: /32769 bytes.*32768/,
  },
  'the headers of an attachment': {
    most: { attachments: [{ content: 'x', headers: { 'X-A': times(100, () => 'b') } }] },
    over: { attachments: [{ content: 'x', headers: { 'X-A': times(101, () => 'b') } }] },
    code: 'HEADER_INVALID',
    says: /101 headers.*100/,
  },
  references: {
    most: { references: ids(400) },
    over: { references: ids(500) },
    code: 'HEADER_INVALID',
    says: /references.*32768/,
  },
  replyTo: {
    most: { replyTo: times(100, (index) => `r${index}@example.com`) },
    over: { replyTo: times(101, (index) => `r${index}@example.com`) },
    code: 'MESSAGE_INVALID',
    says: /replyTo.*100/,
  },
};

describe('a field has its bound, and what is over it is named', () => {
  it.each(Object.entries(bounds))('%s', async (_, { most, over, code, says }) => {
    const relay = relayFor();
    await expect(relay.send({ ...mail, ...most } as SendMessage)).resolves.toMatchObject({ repeated: false });
    await expect(relay.send({ ...mail, ...over } as SendMessage)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(says),
    });
    expect((await relay.messages.list()).items).toHaveLength(1);
  });

  it('metadata of a recipient of sendMany()', async () => {
    const people = [16_384, 16_385].map((bytes) => ({
      to: `r${bytes}@example.com`,
      metadata: metadata(bytes) as never,
    }));
    const { accepted, rejections } = await relayFor().sendMany(people, { subject: 'S', text: 'T' });
    expect(accepted).toBe(1);
    expect(rejections).toMatchObject([
      { index: 1, code: 'MESSAGE_INVALID', message: expect.stringContaining('metadata') },
    ]);
  });

  it.each([
    ['in Handlebars', defineTemplate({ name: 't', subject: '{{s}}', html: 'x' })],
    ['as a function', defineTemplate({ name: 't', render: ({ s }: { s: string }) => ({ subject: s, html: 'x' }) })],
  ])('the subject that comes out of a template %s', async (_, template) => {
    const relay = relayWith({ thread: false, queue: { deliver: false }, templates: [template as never] });
    const send = (s: string) => relay.send({ to: mail.to, template: 't', data: { s } });
    await expect(send(x(1000))).resolves.toMatchObject({ repeated: false });
    await expect(send(x(1001))).rejects.toMatchObject({
      code: 'MESSAGE_INVALID',
      message: expect.stringMatching(/subject.*1000/),
    });
  });
});

describe('a value that cannot be meant is refused', () => {
  const year = (one: number): Date => new Date(Date.UTC(one, 0, 1));
  it.each<[string, object, string]>([
    ['bytes that are no UTF-8 as text', { text: Buffer.from([0x48, 0xe9, 0x21]) }, 'text'],
    ['bytes that are no UTF-8 as html', { text: undefined, html: new Uint8Array([0xff, 0xfe, 0x3c, 0]) }, 'html'],
    ['bytes that end in the middle of a character', { text: Buffer.from('é').subarray(0, 1) }, 'text'],
    ['a time that is none', { sendAt: Number.NaN }, 'sendAt'],
    ['a date that is none', { sendAt: new Date('some day') }, 'sendAt'],
    ['an endless time', { sendAt: Number.POSITIVE_INFINITY }, 'sendAt'],
    ['a time in microseconds', { sendAt: Date.UTC(2026) * 1000 }, 'sendAt'],
    ['the year 300000', { sendAt: '+300000-01-01T00:00:00Z' }, 'sendAt'],
    ['the year 200000', { sendAt: year(200_000) }, 'sendAt'],
    ['the year 2200', { sendAt: year(2200) }, 'sendAt'],
    ['a Date header before the format has years', { date: year(1899) }, 'date'],
    ['a Date header with a year of five digits', { date: year(10_000) }, 'date'],
    ['a Date header that is none', { date: new Date(Number.NaN) }, 'date'],
  ])('%s', async (_, bad, field) => {
    await expect(relayFor().send({ ...mail, ...bad } as SendMessage)).rejects.toMatchObject({
      code: 'MESSAGE_INVALID',
      details: { field },
    });
  });

  it.each<[string, object, string]>([
    ['a line break in inReplyTo', { inReplyTo: '<a@example.com>\r\nBcc: eve@example.com' }, 'inReplyTo'],
    ['a line break at the end of inReplyTo', { inReplyTo: '<a@example.com>\n' }, 'inReplyTo'],
    ['two of inReplyTo', { inReplyTo: '<a@example.com> <b@example.com>' }, 'inReplyTo'],
    ['a line break in references', { references: '<a@example.com>\r\n <b@example.com>' }, 'references'],
    ['a line break in one of references', { references: ['<a@example.com>\r\nX: y'] }, 'references'],
    ['a line break in messageId', { messageId: '<a@example.com>\r\nX: y' }, 'messageId'],
    ['two of messageId', { messageId: '<a@example.com> <b@example.com>' }, 'messageId'],
  ])('%s', async (_, bad, header) => {
    await expect(relayFor().send({ ...mail, ...bad } as SendMessage)).rejects.toMatchObject({
      code: 'HEADER_INVALID',
      details: { header },
    });
  });

  it('and what is near it is taken', async () => {
    const relay = relayFor();
    for (const good of [
      { text: Buffer.from('\ufeffÉté €') },
      { sendAt: year(2199) },
      { date: year(9999) },
      { inReplyTo: ' <a@example.com> ', references: '<a@example.com>  <b@example.com>' },
      { inReplyTo: '', messageId: '' },
    ])
      await expect(relay.send({ ...mail, ...good }), JSON.stringify(good)).resolves.toMatchObject({ repeated: false });
  });
});
