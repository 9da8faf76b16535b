import { describe, expect, it } from 'vitest';
import { lineage, mayBeAligned } from '../../packages/core/src/alignment.ts';

describe('domains above a domain', () => {
  it('come after it, the nearest first', () => {
    expect(lineage('a.b.example')).toEqual(['a.b.example', 'b.example', 'example']);
    expect(lineage('example')).toEqual(['example']);
  });
});

describe('two domains', () => {
  it.each([
    ['acme.example', 'acme.example'],
    ['acme.example', 'bounces.acme.example'],
    ['news.acme.example', 'bounces.acme.example'],
    ['acme.co.uk', 'bounces.acme.co.uk'],
    ['news.acme.co.uk', 'bounces.acme.co.uk'],
    ['news.bbc.uk', 'bounces.bbc.uk'],
    ['news.co.example', 'bounces.co.example'],
    // Not sure, and not known to be wrong.
    ['acme.blogs.example', 'other.blogs.example'],
    ['intranet', 'mail.intranet'],
  ])('%s and %s may be of one organisation', (one, other) => {
    expect([mayBeAligned(one, other), mayBeAligned(other, one)]).toEqual([true, true]);
  });

  it.each([
    ['acme.example', 'other.example'],
    ['acme.example', 'acme.test'],
    ['acme.example', 'notacme.example'],
    ['acme.co.uk', 'other.co.uk'],
    ['news.acme.com.au', 'bounces.other.com.au'],
  ])('%s and %s are not', (one, other) => {
    expect([mayBeAligned(one, other), mayBeAligned(other, one)]).toEqual([false, false]);
  });
});
