import { describe, expect, it } from 'vitest';
import {
  capture,
  createMailRelay,
  directMx,
  type MailRelayOptions,
  type ShapingOptions,
} from '../../../../packages/core/src/index.ts';
import { relayWith } from '../../../support/relay.ts';

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

describe('a site that options name', () => {
  const wrong = (options: MailRelayOptions) => {
    try {
      createMailRelay(options);
    } catch (error) {
      return error as { code: string; details: { option: string; reason: string } };
    }
    return undefined;
  };
  const ruled = (site: string): ShapingOptions => ({ rules: [{ ...rule, site: ['google', site] }] });
  const direct = (perSite: Record<string, number[]>) => [
    directMx({ hostname: 'out.acme.example', warmUp: { from: '2026-03-02', perSite } }),
  ];
  const through = (perSite: Record<string, number[]>) => [
    capture({ shaping: true, warmUp: { from: '2026-03-02', perSite } }),
  ];

  it.each<[option: string, says: RegExp, options: MailRelayOptions]>([
    ['shaping.sites.microsoft', /did you mean microsoft-365\?/, { shaping: { sites: { microsoft: {} } } }],
    ['shaping.sites.gogle', /did you mean google\?/, { shaping: { sites: { gogle: { rate: '1/s' } } } }],
    ['shaping.sites.acme', /shaping\.sites.*`mx` or `domains`/, { shaping: { sites: { acme: { connections: 1 } } } }],
    ['shaping.sites.gmail.com', /of the site google$/, { shaping: { sites: { 'gmail.com': { connections: 1 } } } }],
    [
      'shaping.rules[0].site',
      /did you mean microsoft-365\?.* Known are google, outlook/,
      { shaping: ruled('microsoft') },
    ],
    ['shaping.rules[0].site', /did you mean google\?/, { shaping: ruled('gmail') }],
    ['shaping.rules[0].site', /lower case: example\.org$/, { shaping: ruled('Example.org') }],
    ['shaping.rules[0].site', /of the site google$/, { shaping: ruled('aspmx.l.google.com') }],
    ['shaping.rules[0].site', /`shaping\.domains` does not have/, { shaping: ruled('@example.org') }],
    ['shaping.rules[0].site', /is a lane of shaping/, { shaping: ruled('unresolved') }],
    ['routes[0].warmUp.perSite.microsoft', /did you mean microsoft-365\?/, { routes: direct({ microsoft: [1] }) }],
    ['routes[0].warmUp.perSite.hotmail.com', /of the site outlook$/, { routes: direct({ 'hotmail.com': [1] }) }],
    ['routes[0].warmUp.perSite.other', /is a lane of shaping/, { routes: direct({ other: [1] }) }],
    ['routes[0].warmUp.perSite.microsoft-365', /looks up no MX/, { routes: through({ 'microsoft-365': [1] }) }],
    ['routes[0].warmUp.perSite.example.org', /looks up no MX/, { routes: through({ 'example.org': [1] }) }],
  ])('has to be one: %s', (option, says, options) => {
    expect(wrong(options)).toMatchObject({
      code: 'OPTIONS_INVALID',
      details: { option, reason: expect.stringMatching(says) },
    });
  });

  it.each(['kasserver.com', 'sch.uk', 'us-east-1.amazonaws.com'])(
    'is none whose names are those of others: %s',
    async (name) => {
      await expect(relayWith({ routes: [capture()], shaping: ruled(name) }).start()).rejects.toMatchObject({
        code: 'OPTIONS_INVALID',
        message: expect.stringContaining(`mx: ['${name}']`),
      });
      const sites = { own: { mx: [name], rate: '5/s' } };
      await relayWith({ routes: [capture()], shaping: { ...ruled('own'), sites } }).start();
    },
  );

  it.each<[site: string, name: string]>([
    ['example.org', 'mx1.example.org'],
    ['elm.kent.sch.uk', 'mail.elm.kent.sch.uk'],
  ])('has to be one: the engine, which has the list of registered names, knows %s for %s', async (site, name) => {
    const relay = relayWith({ routes: [capture()], shaping: ruled(name) });
    const reason = `\`shaping.rules[0].site\` is no site: mail for ${name} is of the site ${site}`;
    await expect(relay.start()).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      details: { option: 'shaping.rules[0].site', reason },
    });
    await relayWith({ routes: [capture()], shaping: ruled(site) }).start();
  });

  it('may be a receiver, one of shaping.sites, one that the DNS tells, or a lane', () => {
    const sites = {
      google: { rate: '1/s' },
      acme: { mx: ['acme.test'] },
      shop: { domains: ['shop.test'] },
      'wide.test': {},
    };
    const names = ['google', 'acme', 'shop', 'wide.test', 'mail.ru', 'example.co.uk', '192.0.2.1', '@example.org'];
    const shaping = {
      sites,
      domains: { 'example.org': { rate: '1/s' } },
      rules: [{ ...rule, site: [...names, 'other'] }],
    };
    const calendars = (of: string[]) => Object.fromEntries(of.map((name) => [name, [1]]));
    const routes = [
      ...direct(calendars(names)),
      ...through(calendars(['google', 'shop', 'mail.ru', '@example.org', 'other'])),
    ];
    expect(wrong({ routes, shaping })).toBeUndefined();
  });
});
