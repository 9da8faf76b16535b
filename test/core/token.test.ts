import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokens } from '../../packages/core/src/token.ts';

const secret = fc.string({ minLength: 16, maxLength: 64 });
const deliveryId = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const index = fc.integer({ min: 0, max: 10_000 });
const url = fc.oneof(
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.string({ unit: 'grapheme', maxLength: 100 }),
);
const plain = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((text) => !text.includes('\0'));
const scope = fc.oneof(
  fc.constant('broadcast'),
  fc.constant('transactional'),
  plain.map((topic) => `topic:${topic}`),
);
const claim = fc.record({
  deliveryId,
  address: plain,
  scope,
  locale: fc.option(fc.constantFrom('en', 'fr', 'pt-BR'), { nil: undefined }),
});
const tokens = createTokens(['a secret of enough length']);

/** The token with one bit of one byte turned, or of one character where it is no longer base64url. */
function flip(token: string, bit: number): string {
  const bytes = Buffer.from(token, 'base64url');
  const at = bit % (bytes.length * 8);
  bytes[at >> 3] = (bytes[at >> 3] as number) ^ (1 << (at & 7));
  return bytes.toString('base64url');
}

describe('tokens', () => {
  it('carry a delivery there and back', () => {
    fc.assert(
      fc.property(secret, deliveryId, (key, id) => {
        const own = createTokens([key]);
        expect(own.readDelivery('o', own.delivery('o', id))).toBe(id);
        expect(own.readDelivery('v', own.delivery('v', id))).toBe(id);
      }),
    );
  });

  it('carry a click there and back, whatever the target', () => {
    fc.assert(
      fc.property(deliveryId, index, url, plain, (id, place, target, name) => {
        const read = tokens.readClick(tokens.link(name, place, target), tokens.clicker(name, id));
        expect(read).toEqual({ deliveryId: id, index: place, url: target });
      }),
    );
  });

  it('carry an unsubscribe claim there and back', () => {
    fc.assert(
      fc.property(claim, (given) => {
        expect(tokens.readUnsubscribe(tokens.unsubscribe(given))).toEqual(given);
      }),
    );
  });

  it('consist of characters that stand in a path as they are', () => {
    fc.assert(
      fc.property(claim, url, (given, target) => {
        for (const token of [
          tokens.unsubscribe(given),
          tokens.link('t:1', 1, target),
          tokens.clicker('t:1', given.deliveryId),
        ]) {
          expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
        }
      }),
    );
  });

  it('are refused when any bit is turned', () => {
    const bit = fc.integer({ min: 0, max: 100_000 });
    fc.assert(
      fc.property(claim, url, bit, (given, target, at) => {
        const link = tokens.link('t:1', 1, target);
        const clicker = tokens.clicker('t:1', given.deliveryId);
        expect(tokens.readDelivery('o', flip(tokens.delivery('o', given.deliveryId), at))).toBeUndefined();
        expect(tokens.readUnsubscribe(flip(tokens.unsubscribe(given), at))).toBeUndefined();
        expect(tokens.readClick(flip(link, at), clicker)).toBeUndefined();
        expect(tokens.readClick(link, flip(clicker, at))).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it('are refused in any other spelling of the same bytes', () => {
    fc.assert(
      fc.property(deliveryId, fc.constantFrom('=', '==', ' ', '\n', '+', 'A'), (id, tail) => {
        const token = tokens.delivery('o', id);
        expect(tokens.readDelivery('o', token + tail)).toBeUndefined();
        expect(tokens.readDelivery('o', tail + token)).toBeUndefined();
      }),
    );
  });

  it('are refused under another secret', () => {
    fc.assert(
      fc.property(secret, secret, claim, (one, other, given) => {
        fc.pre(one !== other);
        const maker = createTokens([one]);
        const reader = createTokens([other]);
        expect(reader.readDelivery('o', maker.delivery('o', given.deliveryId))).toBeUndefined();
        expect(reader.readUnsubscribe(maker.unsubscribe(given))).toBeUndefined();
        expect(reader.readClick(maker.link('t', 0, 'https://a.example/'), maker.clicker('t', 1))).toBeUndefined();
      }),
    );
  });

  it('outlive a rotation of secrets, and are signed with the first', () => {
    fc.assert(
      fc.property(secret, secret, claim, (old, fresh, given) => {
        fc.pre(old !== fresh);
        const rotated = createTokens([fresh, old]);
        expect(rotated.readUnsubscribe(createTokens([old]).unsubscribe(given))).toEqual(given);
        expect(createTokens([fresh]).readUnsubscribe(rotated.unsubscribe(given))).toEqual(given);
        const oldLink = createTokens([old]).link('t', 0, 'https://a.example/');
        expect(rotated.readClick(oldLink, rotated.clicker('t', given.deliveryId))?.deliveryId).toBe(given.deliveryId);
      }),
    );
  });

  it('of one kind are refused as another', () => {
    fc.assert(
      fc.property(deliveryId, (id) => {
        const pixel = tokens.delivery('o', id);
        const clicker = tokens.clicker('t', id);
        expect(tokens.readDelivery('v', pixel)).toBeUndefined();
        expect(tokens.readUnsubscribe(pixel)).toBeUndefined();
        expect(tokens.readDelivery('o', clicker)).toBeUndefined();
        expect(tokens.readClick(pixel, clicker)).toBeUndefined();
        expect(tokens.readClick(clicker, tokens.link('t', 0, 'https://a.example/'))).toBeUndefined();
      }),
    );
  });

  it('of a click hold together by their scope', () => {
    fc.assert(
      fc.property(plain, plain, deliveryId, (one, other, id) => {
        fc.pre(one !== other);
        expect(tokens.readClick(tokens.link(one, 0, 'https://a.example/'), tokens.clicker(other, id))).toBeUndefined();
      }),
    );
  });

  it('are never found in arbitrary text, and reading never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String(),
          fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
        ),
        (text) => {
          expect(tokens.readDelivery('o', text)).toBeUndefined();
          expect(tokens.readUnsubscribe(text)).toBeUndefined();
          expect(tokens.readClick(text, text)).toBeUndefined();
        },
      ),
    );
  });

  it('are short: a pixel has at most 32 characters, a click half of a delivery as many', () => {
    fc.assert(
      fc.property(deliveryId, (id) => {
        expect(tokens.delivery('o', id).length).toBeLessThanOrEqual(32);
        expect(tokens.clicker('t', id).length).toBeLessThanOrEqual(32);
      }),
    );
  });
});

describe('bounce tokens', () => {
  const tokens = createTokens(['the new secret of enough length', 'the old secret of enough length']);

  it('are short, in letters whose case does not matter, and name their delivery', () => {
    for (const id of [1, 35, 1_792_000_000_123 * 1024, Number.MAX_SAFE_INTEGER]) {
      const token = tokens.bounce(id);
      expect(token).toMatch(/^[0-9a-z]{14,24}$/);
      expect(tokens.readBounce(token)).toBe(id);
      expect(tokens.readBounce(token.toUpperCase())).toBe(id);
    }
  });

  it('are read after the secret was changed, and not with another secret', () => {
    const old = createTokens(['the old secret of enough length']).bounce(7);
    expect(tokens.readBounce(old)).toBe(7);
    expect(createTokens(['a secret of somebody else']).readBounce(old)).toBeUndefined();
  });

  it('are not read where one character differs, or where they are no tokens', () => {
    const token = tokens.bounce(123_456);
    for (let at = 0; at < token.length; at++) {
      const changed = token.slice(0, at) + (token[at] === 'a' ? 'b' : 'a') + token.slice(at + 1);
      expect(tokens.readBounce(changed)).toBeUndefined();
    }
    for (const wrong of ['', 'a', '0'.repeat(14), 'z'.repeat(24), `${token}a`, ` ${token}`, 'ä'.repeat(20)])
      expect(tokens.readBounce(wrong)).toBeUndefined();
  });
});

it('what is remembered of contents and links keeps no more memory than it has', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const tokens = createTokens(['a secret of enough length']);
  const use = (number: number): void => {
    tokens.readClick(
      tokens.link(`content ${number}`, 0, 'https://example.com/'),
      tokens.clicker(`content ${number}`, 1),
    );
    // What others do meanwhile takes the rest of the pool.
    for (let other = 0; other < 100; other++) Buffer.from('x'.repeat(100));
  };
  use(0);
  collect();
  const before = process.memoryUsage().arrayBuffers;
  for (let number = 1; number < 900; number++) use(number);
  collect();
  expect((process.memoryUsage().arrayBuffers - before) / 900).toBeLessThan(500);
});
