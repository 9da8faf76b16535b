/** The option `bounceDomain`: which envelope sender the mail of a sender has. */
import { describe, expect, it, vi } from 'vitest';
import { createReturnPaths } from '../../../packages/core/src/engine/return-paths.ts';
import { type MailRelayOptions, ses, smtp } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';
import { dsn } from './dsn.ts';
import { setting } from './setting.ts';

const DOMAINS = {
  'Acme.Example': 'bounces.acme.example',
  'shop.acme.example': 'returns@shop.acme.example',
  'bücher.example': 'b.bücher.example',
};

/** What is told with the level `warn`. */
function warnings(): { readonly told: [string, object][]; readonly logger: NonNullable<MailRelayOptions['logger']> } {
  const told: [string, object][] = [];
  const warn = (fields: object, text: string): void => void told.push([text, fields]);
  return { told, logger: { debug() {}, info() {}, error() {}, warn } };
}
const UNALIGNED = 'the envelope sender is of another organisation than From: SPF counts for nothing in DMARC';

describe('a bounce domain for each domain of senders', () => {
  it.each([
    ['hello@acme.example', /^bounce\+[0-9a-z]{14,24}@bounces\.acme\.example$/],
    ['hello@NEWS.acme.example', /^bounce\+[0-9a-z]{14,24}@bounces\.acme\.example$/],
    ['hello@shop.acme.example', /^returns\+[0-9a-z]{14,24}@shop\.acme\.example$/],
    ['hello@a.b.shop.acme.example', /^returns\+[0-9a-z]{14,24}@shop\.acme\.example$/],
    // The server shows it in Unicode; on the wire it is ASCII.
    ['hello@bücher.example', /^bounce\+[0-9a-z]{14,24}@b\.bücher\.example$/],
    ['hello@elsewhere.example', /^hello@elsewhere\.example$/],
    ['hello@not-acme.example', /^hello@not-acme\.example$/],
    ['hello@constructor', /^hello@constructor$/],
  ])('the nearest above counts, and a sender without one gets its own bounces: %s', async (from, path) => {
    const { send } = await setting({ bounceDomain: DOMAINS });
    expect((await send('ada@example.net', { from })).from).toMatch(path);
  });

  it.each([false, true])('what comes back to any of them is recognised, with thread: %s', async (thread) => {
    const { relay, send, state } = await setting({ bounceDomain: DOMAINS, thread });
    for (const [index, from] of ['a@acme.example', 'a@shop.acme.example', 'a@bücher.example'].entries()) {
      const sent = await send(`ada${index}@example.net`, { from });
      expect(sent.from).toContain('+');
      const { feedback } = await relay.feedback.receive(dsn({ to: sent.from, id: `d${index}` }));
      expect(feedback).toMatchObject([{ deliveryId: sent.id, foundBy: 'id', outcome: 'moved' }]);
      expect(await state(sent.id)).toBe('bounced');
    }
  });

  it('a message that names an envelope sender keeps it', async () => {
    const { send } = await setting({ bounceDomain: DOMAINS });
    const over = { from: 'a@acme.example', envelope: { from: 'own@acme.example' } };
    expect((await send('ada@example.net', over)).from).toBe('own@acme.example');
  });
});

describe('an envelope sender of another organisation', () => {
  it('is told once for each domain of senders, and without addresses', async () => {
    const { told, logger } = warnings();
    const { send } = await setting({ bounceDomain: 'bounces.acme.example', logger });
    const senders = ['a@acme.example', 'a@shop.acme.example', 'ada@other.example', 'bob@other.example', 'a@third.test'];
    for (const [index, from] of senders.entries()) await send(`ada${index}@example.net`, { from });
    expect(told).toEqual([
      [UNALIGNED, { from: 'other.example', returnPath: 'bounces.acme.example' }],
      [UNALIGNED, { from: 'third.test', returnPath: 'bounces.acme.example' }],
    ]);
  });

  it('is told of an envelope sender that a message names, too', async () => {
    const { told, logger } = warnings();
    const { send } = await setting({ logger });
    await send('ada@example.net', { from: 'a@acme.example', envelope: { from: 'own@other.example' } });
    expect(told).toEqual([[UNALIGNED, { from: 'acme.example', returnPath: 'other.example' }]]);
  });

  it.each<[string, MailRelayOptions['bounceDomain']]>([
    ['each sender has its own', { 'other.example': 'b.other.example', 'third.test': 'third.test' }],
    ['there is none', undefined],
  ])('is not told of where %s', async (_, bounceDomain) => {
    const { told, logger } = warnings();
    const { send } = await setting({ bounceDomain, logger });
    for (const from of ['a@other.example', 'a@third.test', 'a@fourth.test'])
      await send(`${from}.net`.replace('@', '-at@'), { from });
    expect(told).toEqual([]);
  });
});

describe('which mails are told of', () => {
  const routes = [smtp('smtp://127.0.0.1:1', { name: 'own' }), ses({ region: 'eu-west-3', user: 'u', pass: 'p' })];
  it('is not those of a provider with a preset, which writes an envelope sender of its own', () => {
    const log = vi.fn();
    const paths = createReturnPaths(routes, log);
    paths.note('ses', 'a@other.example', 'bounce+x@bounces.acme.example');
    expect(log).not.toHaveBeenCalled();
    paths.note('own', 'a@other.example', 'bounce+x@bounces.acme.example');
    expect(log).toHaveBeenCalledOnce();
  });

  it('is at most a hundred domains, however many senders there are', () => {
    const log = vi.fn();
    const paths = createReturnPaths(routes, log);
    for (let sender = 0; sender < 300; sender++) paths.note('own', `a@s${sender}.example`, 'bounce+x@b.acme.example');
    expect(log).toHaveBeenCalledTimes(100);
  });
});

describe('the option bounceDomain', () => {
  it.each([
    '',
    'not a domain',
    'a+b@example.com',
    `${'x'.repeat(50)}@example.com`,
    '@example.com',
    '"a b"@example.com',
    '[192.0.2.1]',
    `${'x'.repeat(60)}.${'x'.repeat(60)}.${'x'.repeat(60)}.${'x'.repeat(40)}.example`,
    5,
    ['bounces.example.com'],
  ])('does not take %j', (bounceDomain) => {
    const given = { bounceDomain } as MailRelayOptions;
    expect(() => relayWith(given)).toThrow(
      expect.objectContaining({
        code: 'OPTIONS_INVALID',
        details: expect.objectContaining({ option: 'bounceDomain' }),
      }),
    );
  });

  it.each<[object, string]>([
    [{}, '`bounceDomain` must name the domain of a sender'],
    [{ 'acme.example': '' }, '`bounceDomain.acme.example` must be text that is not empty'],
    [{ 'acme.example': undefined }, '`bounceDomain.acme.example` must be text that is not empty'],
    [{ 'acme.example': 'not a domain' }, '`bounceDomain.acme.example` must be a domain, or an address such as'],
    [{ 'acme.example': 'a+b@acme.example' }, '`bounceDomain.acme.example` must have a plain name before the @'],
    [{ '*': 'bounces.acme.example' }, '`bounceDomain.*` must be named by the domain of a sender, such as example.com'],
    [{ 'a@acme.example': 'bounces.acme.example' }, '`bounceDomain.a@acme.example` must be named by'],
    [
      { 'acme.example': 'a.acme.example', 'ACME.example': 'b.acme.example' },
      '`bounceDomain.ACME.example` is the domain of a sender that stands there already',
    ],
  ])('does not take %j', (bounceDomain, says) => {
    const given = { bounceDomain } as MailRelayOptions;
    expect(() => relayWith(given)).toThrow(says);
    expect(() => relayWith(given)).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }));
  });
});
