import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RouteRules } from '../../../packages/core/src/route/port.ts';
import { createFitting, type RoutedMail } from '../../../packages/core/src/route/rules.ts';

// Few letters, so that patterns meet what they are for; signs that mean something in expressions.
const word = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.', '+', '$'), minLength: 1, maxLength: 5 });
const domain = fc
  .array(fc.constantFrom('a', 'b', 'shop', 'example'), { minLength: 1, maxLength: 4 })
  .map((labels) => labels.join('.'));
const mails: fc.Arbitrary<RoutedMail> = fc.record({
  stream: fc.constantFrom('transactional', 'broadcast'),
  senderDomain: domain,
  campaign: fc.option(word, { nil: undefined }),
  tags: fc.array(word, { maxLength: 3 }),
});
const patternOf = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    text,
    text.map((value) => `${value}*`),
    text.map((value) => `*${value}`),
    fc.tuple(text, text).map((pair) => pair.join('*')),
  );
const oneOrMore = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | T[] | undefined> =>
  fc.option(fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 })), { nil: undefined });
const rules: fc.Arbitrary<RouteRules> = fc.record({
  stream: oneOrMore(fc.constantFrom('transactional' as const, 'broadcast' as const)),
  senderDomain: oneOrMore(patternOf(domain)),
  recipientDomain: oneOrMore(patternOf(domain)),
  tag: oneOrMore(patternOf(word)),
  campaign: oneOrMore(patternOf(word)),
});

/** `*` stands for any text: by hand, without expressions. */
function like(text: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return text === pattern;
  if (!text.startsWith(first)) return false;
  const last = rest.pop() as string;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

const anyLike = (text: string, patterns: string | readonly string[] | undefined): boolean =>
  patterns === undefined || [patterns].flat().some((pattern) => like(text, pattern));

/** What the rules say, word by word. */
function fits(set: RouteRules, mail: RoutedMail, to: string): boolean {
  return (
    anyLike(mail.stream, set.stream) &&
    anyLike(mail.senderDomain, set.senderDomain) &&
    anyLike(to, set.recipientDomain) &&
    (set.tag === undefined || mail.tags.some((tag) => anyLike(tag, set.tag))) &&
    (set.campaign === undefined || (mail.campaign !== undefined && anyLike(mail.campaign, set.campaign)))
  );
}

describe('what a route takes', () => {
  it('is what its rules say: all parts of one set, for any mail and recipient', () => {
    fc.assert(
      fc.property(fc.array(rules, { minLength: 1, maxLength: 3 }), mails, domain, (takes, mail, to) => {
        const fitting = createFitting(takes);
        const expected = takes.some((set) => fits(set, mail, to));
        expect(fitting?.recipient(mail, to)).toBe(expected);
        // Whoever is asked first about the mail alone never turns away what fits.
        if (expected) expect(fitting?.mail(mail)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('is more, never less, with one more set; and less, never more, with one more part', () => {
    fc.assert(
      fc.property(rules, rules, mails, domain, (one, other, mail, to) => {
        const taken = createFitting(one)?.recipient(mail, to) ?? true;
        if (taken) expect(createFitting([one, other])?.recipient(mail, to)).toBe(true);
        const both = createFitting({
          ...other,
          ...Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined)),
        });
        if (both?.recipient(mail, to)) expect(taken).toBe(true);
      }),
    );
  });

  it('is all without rules, and compares domains in lower-case ASCII', () => {
    expect(createFitting(undefined)).toBeUndefined();
    const mail = { stream: 'broadcast', senderDomain: 'xn--bcher-kva.example', campaign: undefined, tags: [] };
    expect(createFitting({ senderDomain: 'Bücher.EXAMPLE' })?.mail(mail)).toBe(true);
    expect(createFitting({ recipientDomain: '*.Example' })?.recipient(mail, 'shop.example')).toBe(true);
    expect(createFitting({ recipientDomain: '*.example' })?.recipient(mail, 'example')).toBe(false);
  });

  it('is not known where the site decides and is not known; a domain without a site fits none', () => {
    const mail = { stream: 'broadcast', senderDomain: 'a.example', campaign: undefined, tags: [] };
    const fitting = createFitting([
      { site: ['google', '*.hosting.test'], recipientDomain: '*.example' },
      { tag: 'all' },
    ]);
    const says = (...of: [domain: string, site?: string]) => fitting?.recipient(mail, ...of);
    expect([says('a.example', 'Google'), says('a.example', 'google')]).toEqual([false, true]);
    expect([says('a.example', 'eu.hosting.test'), says('a.example', 'yahoo')]).toEqual([true, false]);
    expect([says('a.example'), says('a.other'), says('a.other', 'google')]).toEqual([undefined, false, false]);
    expect(fitting?.recipient({ ...mail, tags: ['all'] }, 'a.other')).toBe(true);
    expect(createFitting({ site: '*' })?.recipient(mail, 'a.example', '')).toBe(false);
    expect([fitting?.bySite, createFitting({ tag: 'all' })?.bySite]).toEqual([true, false]);
  });
});
