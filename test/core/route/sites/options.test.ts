import { expect, it } from 'vitest';
import { createMailRelay, type ShapingOptions } from '../../../../packages/core/src/index.ts';

const rule = { name: 'busy', reply: /busy/, action: 'slow', forMs: 60_000 } as const;

it.each<[place: string, shaping: unknown]>([
  ['shaping.sites.Google', { sites: { Google: {} } }],
  ['shaping.sites.unresolved', { sites: { unresolved: {} } }],
  ['shaping.sites.google.connections', { sites: { google: { connections: 0 } } }],
  ['shaping.sites.google.rate', { sites: { google: { rate: 'fast' } } }],
  ['shaping.sites.google.rate', { sites: { google: { rate: [] } } }],
  ['shaping.sites.google.mx[0]', { sites: { google: { mx: ['not a name'] } } }],
  ['shaping.domains.not a name', { domains: { 'not a name': {} } }],
  ['shaping.rules[0].action', { rules: [{ ...rule, action: 'drop' }] }],
  ['shaping.rules[0].forMs', { rules: [{ ...rule, forMs: undefined }] }],
  ['shaping.rules[0].factor', { rules: [{ ...rule, factor: 1 }] }],
  ['shaping.rules[0].factor', { rules: [{ ...rule, action: 'suspend', factor: 0.5 }] }],
  ['shaping.rules[0].reply', { rules: [{ ...rule, reply: /busy/g }] }],
  ['shaping.rules[0]', { rules: [{ ...rule, reply: undefined }] }],
])('the relay refuses a wrong %s at start', (option, shaping) => {
  expect(() => createMailRelay({ shaping: shaping as ShapingOptions })).toThrow(
    expect.objectContaining({ code: 'OPTIONS_INVALID', details: expect.objectContaining({ option }) }),
  );
});

it('the relay refuses what it does not know', () => {
  expect(() => createMailRelay({ shaping: { sites: { google: { rates: '1/s' } } } as ShapingOptions })).toThrow(
    expect.objectContaining({ code: 'OPTION_UNSUPPORTED' }),
  );
});
