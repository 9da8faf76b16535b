import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { domainOf, normalizeAddress, parseAddress, parseMailboxes } from '../../packages/core/src/address.ts';
import { isMailRelayError } from '../../packages/core/src/errors.ts';

const atom = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}$/);
const local = fc.array(atom, { minLength: 1, maxLength: 3 }).map((atoms) => atoms.join('.'));
const domain = fc.domain();
const refused = (text: string): string => {
  try {
    parseAddress(text, 'to');
  } catch (error) {
    if (isMailRelayError(error) && error.code === 'ADDRESS_INVALID') return error.message;
    throw error;
  }
  return '';
};

describe('an address', () => {
  it('that is well formed comes back as it is, its domain in lower case', () => {
    fc.assert(
      fc.property(local, domain, (before, after) => {
        fc.pre(before.length <= 64 && before.length + after.length < 254);
        expect(parseAddress(`${before}@${after.toUpperCase()}`)).toBe(`${before}@${after.toLowerCase()}`);
      }),
    );
  });

  it('stays the same when it is read again', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (text) => {
        const once = parseAddress(text);
        expect(parseAddress(once)).toBe(once);
        expect(normalizeAddress(normalizeAddress(text))).toBe(normalizeAddress(text));
        expect(domainOf(once)).toBe(once.split('@').at(-1));
      }),
    );
  });

  it('with a control character anywhere is refused', () => {
    const control = fc.constantFrom('\r', '\n', '\r\n', '\0', '\t', '\x7f', '\r\nBcc: eve@example.com');
    fc.assert(
      fc.property(fc.emailAddress(), control, fc.nat(), (text, injected, place) => {
        const at = place % (text.length + 1);
        expect(refused(text.slice(0, at) + injected + text.slice(at))).toContain('control character');
      }),
    );
  });

  it('never brings a line break or a space into an envelope, whatever it is read from', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        let address: string;
        try {
          address = parseAddress(text);
        } catch (error) {
          expect(isMailRelayError(error)).toBe(true);
          return;
        }
        expect(address).not.toMatch(/[\r\n\0]/);
        expect(address.lastIndexOf('@')).toBeGreaterThan(0);
      }),
    );
  });

  it('never becomes another: what is no letter, digit, hyphen or dot in a domain is refused', () => {
    const strange = fc.constantFrom(
      ...'!"#$%&\'()*+,/:;<=>?[\\]^`{|}~ ',
      '\u00ad',
      '\u115f',
      '\u200b',
      '\u2060',
      '\u2028',
      '\ufe0f',
      '\ufeff',
    );
    fc.assert(
      fc.property(domain, strange, fc.nat(), fc.constantFrom('', 'é'), (text, inserted, place, before) => {
        const at = place % text.length;
        expect(refused(`ada@${before}${text.slice(0, at)}${inserted}${text.slice(at)}`)).toContain('no valid domain');
      }),
    );
  });

  it('has no domain that is a number, in whichever digits', () => {
    const digits = fc.constantFrom('0', '٠', '０', '𝟎').chain((zero) => {
      const first = zero.codePointAt(0) as number;
      return fc
        .integer({ min: 1, max: 255 })
        .map((number) => [...String(number)].map((digit) => String.fromCodePoint(first + Number(digit))).join(''));
    });
    fc.assert(
      fc.property(fc.array(digits, { minLength: 1, maxLength: 4 }), (numbers) => {
        expect(refused(`ada@${numbers.join('.')}`)).toMatch(/no valid domain|^$/);
        if (refused(`ada@${numbers.join('.')}`) === '')
          expect(parseAddress(`ada@${numbers.join('.')}`)).toMatch(/@.*xn--/);
      }),
    );
  });

  it('has at most 64 octets before the @ and 254 in all', () => {
    expect(refused(`${'a'.repeat(64)}@example.com`)).toBe('');
    expect(refused(`${'a'.repeat(65)}@example.com`)).toContain('64 octets');
    expect(refused(`${'é'.repeat(33)}@example.com`)).toContain('64 octets');
    const long = (length: number) => `a@${`${'b'.repeat(60)}.`.repeat(4)}${'c'.repeat(length - 2 - 244)}`;
    expect(refused(long(254))).toBe('');
    expect(refused(long(255))).toContain('254 octets');
  });

  it.each([
    ['ada', 'no local part'],
    ['@example.com', 'no local part'],
    ['', 'empty'],
    ['   ', 'empty'],
    ['ada@', 'no valid domain'],
    ['ada@-example.com', 'no valid domain'],
    ['ada@exa mple.com', 'no valid domain'],
    ['ada@example..com', 'no valid domain'],
    [`ada@${'a'.repeat(64)}.com`, 'no valid domain'],
    ['.ada@example.com', 'misplaced dot'],
    ['ada.@example.com', 'misplaced dot'],
    ['ada..l@example.com', 'misplaced dot'],
    ['a da@example.com', 'need quotes'],
    ['a<b@example.com', 'need quotes'],
    ['ada@example.com/fr', 'no valid domain'],
    ['ada@example.com#x', 'no valid domain'],
    ['ada@example.com?x=1', 'no valid domain'],
    ['ada@example.com:25', 'no valid domain'],
    ['ada@example.com\\evil', 'no valid domain'],
    ['ada@ex%61mple.com', 'no valid domain'],
    ['ada@é.example/x', 'no valid domain'],
    ['ada@exa\u00admple.com', 'no valid domain'],
    ['ada@１２７.0.0.1', 'no valid domain'],
    ['ada@127.0.0.1', 'no valid domain'],
    ['ada@0x7f.1', 'no valid domain'],
    ['ada@２１３０７０６４３３', 'no valid domain'],
    ['ada@[999.1.1.1]', 'no valid domain'],
    ['ada@[IPv6:::::::]', 'no valid domain'],
    ['\ud800@example.com', 'half a character'],
  ])('%j is refused: %s', (text, reason) => {
    expect(refused(text)).toContain(reason);
  });

  it.each([
    ['ada+news@example.com', 'ada+news@example.com'],
    ['"ada lovelace"@example.com', '"ada lovelace"@example.com'],
    ['ada@MÜLLER.example', 'ada@xn--mller-kva.example'],
    ['jürgen@example.com', 'jürgen@example.com'],
    ['ada@[192.0.2.1]', 'ada@[192.0.2.1]'],
    ['ada@[IPv6:2001:db8::1]', 'ada@[IPv6:2001:db8::1]'],
    ['ada@localhost', 'ada@localhost'],
    ['ada@日本。example', 'ada@xn--wgv71a.example'],
    ['"a<b"@example.com', '"a<b"@example.com'],
  ])('%s is taken as %s', (text, address) => {
    expect(parseAddress(text)).toBe(address);
  });
});

describe('an address field', () => {
  it('reads names, lists, groups and objects', () => {
    expect(parseMailboxes('Ada <ada@example.com>, "Babbage, Charles" <cb@example.com>', 'to')).toEqual([
      { address: 'ada@example.com', name: 'Ada' },
      { address: 'cb@example.com', name: 'Babbage, Charles' },
    ]);
    expect(parseMailboxes('Friends: ada@example.com, bob@example.com;', 'to')).toHaveLength(2);
    expect(parseMailboxes(['ada@example.com', { name: 'Bob', address: 'bob@example.com' }], 'to')).toEqual([
      { address: 'ada@example.com', name: undefined },
      { address: 'bob@example.com', name: 'Bob' },
    ]);
    expect(parseMailboxes(undefined, 'to')).toEqual([]);
  });

  it('shows the value that is wrong', () => {
    expect(refused('nobody@')).toContain('"nobody@"');
    for (const [text, wrong] of [
      ['Ada@b.example, x', '"x"'],
      ['not an address', '"not an address"'],
      ['Ada <>', '"Ada"'],
      [`${'x'.repeat(300)}@a.example`, `"${'x'.repeat(100)}…"`],
    ] as const)
      expect(() => parseMailboxes(text, 'to')).toThrow(wrong);
  });

  it('refuses a name that would begin another header', () => {
    expect(() => parseMailboxes({ name: 'Ada\r\nBcc: eve@example.com', address: 'ada@example.com' }, 'cc')).toThrow(
      /cc has a name with a control character/,
    );
    expect(() => parseMailboxes('Ada\n <ada@example.com>', 'to')).toThrow(/to contains a control character/);
  });

  it('refuses a name that is no text, or longer than 300 characters', () => {
    const named = (name: unknown) => () => parseMailboxes({ name, address: 'ada@example.com' } as never, 'to');
    expect(named(5)).toThrow(/to has a name that is not text/);
    expect(named('x'.repeat(301))).toThrow(/more than 300/);
    expect(named('x'.repeat(300))()).toHaveLength(1);
  });
});
