/** What providers are told of the relay's own tracking, and how long names may be. */
import { describe, expect, it } from 'vitest';
import { checkLabels } from '../../../../packages/core/src/deliver/providers/limits.ts';
import type { Labels } from '../../../../packages/core/src/deliver/providers/provider.ts';
import { PROVIDERS } from '../../../../packages/core/src/deliver/providers/table.ts';
import { brevo, mailgun, type RouteSpec, sarbacane, sendgrid, ses } from '../../../../packages/core/src/index.ts';
import { relayWith } from '../../../support/relay.ts';
import { json, type Server, server } from './setting.ts';

type Name = keyof typeof PROVIDERS;

const ROUTES: Readonly<Record<Name, (server?: Server) => RouteSpec>> = {
  ses: (server) => ses({ region: 'eu-west-3', user: 'AKIA', pass: 'secret', configurationSet: 'news', server }),
  sendgrid: (server) => sendgrid({ apiKey: server ? 'secret' : 'SG.secret', server }),
  mailgun: (server) => mailgun({ user: 'postmaster@mg.example.com', pass: 'secret', server }),
  brevo: (server) => brevo({ user: 'ada@example.com', key: 'secret', server }),
  sarbacane: (server) => sarbacane({ user: 'account', apiKey: 'secret', server }),
};
const NAMES = Object.keys(ROUTES) as Name[];

/** Tags of one length that begin with another letter each. */
function different(count: number, tag: string): string[] {
  return Array.from({ length: count }, (_, index) => `${String.fromCharCode(97 + index)}${tag.slice(1)}`);
}

describe('tracking of the provider, where the relay tracks', () => {
  /** What stands in the header fields of the provider about its own tracking. */
  const told: Readonly<Record<Name, (source: string) => unknown>> = {
    ses: () => undefined,
    sendgrid: (source) => json(source, 'X-SMTPAPI').filters,
    mailgun: (source) =>
      Object.fromEntries([...source.matchAll(/^X-Mailgun-(Track[\w-]*): (.*)\r$/gm)].map(([, name, is]) => [name, is])),
    brevo: () => undefined,
    sarbacane: (source) => (/^X-TM-TRACKING:/m.test(source) ? json(source, 'X-TM-TRACKING') : undefined),
  };
  const off = { settings: { enable: 0 } };
  it.each<[Name, { opens: boolean; clicks: boolean }, unknown]>([
    ['sendgrid', { opens: true, clicks: true }, { opentrack: off, clicktrack: off }],
    ['sendgrid', { opens: true, clicks: false }, { opentrack: off }],
    ['sendgrid', { opens: false, clicks: true }, { clicktrack: off }],
    ['sendgrid', { opens: false, clicks: false }, undefined],
    ['mailgun', { opens: true, clicks: true }, { Track: 'no', 'Track-Opens': 'no', 'Track-Clicks': 'no' }],
    ['mailgun', { opens: true, clicks: false }, { 'Track-Opens': 'no' }],
    ['mailgun', { opens: false, clicks: true }, { 'Track-Clicks': 'no' }],
    ['mailgun', { opens: false, clicks: false }, {}],
    ['sarbacane', { opens: true, clicks: true }, { html: { open: 0, click: 0 }, text: { click: 0 } }],
    ['sarbacane', { opens: true, clicks: false }, { html: { open: 0 } }],
    ['sarbacane', { opens: false, clicks: true }, { html: { click: 0 }, text: { click: 0 } }],
    ['sarbacane', { opens: false, clicks: false }, undefined],
  ])('%s with %j', async (name, tracking, expected) => {
    const { mails, options } = await server();
    const relay = relayWith({ thread: false, routes: [ROUTES[name](options)], tracking });
    await relay.send({ to: 'ada@example.com', subject: 'Hi', html: '<p><a href="https://example.com/">Hi</a></p>' });
    await relay.stop({ drain: true });
    const source = mails[0]?.source ?? '';
    expect(told[name](source)).toEqual(expected);
    // The mail is tracked as it says.
    expect([/<img/.test(source), !/href=(?:3D)?"https:\/\/example\.com/.test(source)]).toEqual([
      tracking.opens,
      tracking.clicks,
    ]);
  });

  it.each(['ses', 'brevo'] as const)('%s is told nothing of it: no header switches its own', async (name) => {
    const { mails, options } = await server();
    const fields = new Set<string>();
    for (const on of [true, false]) {
      const relay = relayWith({
        thread: false,
        routes: [ROUTES[name](options)],
        tracking: { opens: on, clicks: on },
      });
      await relay.send({ to: 'ada@example.com', subject: 'Hi', html: '<p>Hi</p>', tags: ['news'] });
      await relay.stop({ drain: true });
    }
    for (const { source } of mails) {
      const head = source.split('\r\n\r\n')[0] ?? '';
      fields.add((head.match(/^X-[\w-]+(?=:)/gim) ?? []).join());
    }
    expect([...fields]).toEqual([
      name === 'ses' ? 'X-SES-CONFIGURATION-SET,X-SES-MESSAGE-TAGS' : 'X-Mailin-custom,X-Mailin-Tag',
    ]);
    expect(mails).toHaveLength(2);
  });
});

describe('limits of a provider', () => {
  const labels = (more: Partial<Labels>): Labels => ({
    deliveryId: 'dlv_1k2j3',
    campaign: undefined,
    tags: [],
    stream: 'transactional',
    tracking: { opens: true, clicks: true },
    ...more,
  });
  const problem = (name: Name, more: Partial<Labels>): string => {
    try {
      checkLabels(ROUTES[name](), labels(more), []);
      return '';
    } catch (error) {
      const { code, details, message } = error as { code: string; details: { field: string }; message: string };
      expect(message).toContain(PROVIDERS[name].title);
      return `${code} ${details.field}`;
    }
  };

  it.each(NAMES)('%s: the longest name, of a tag and of a campaign', (name) => {
    const { maxName } = PROVIDERS[name].limits;
    expect(problem(name, { tags: ['t'.repeat(maxName)], campaign: 'c'.repeat(maxName) })).toBe('');
    expect(problem(name, { tags: ['t'.repeat(maxName + 1)] })).toBe('MESSAGE_INVALID tags');
    expect(problem(name, { campaign: 'c'.repeat(maxName + 1) })).toBe('MESSAGE_INVALID campaign');
  });

  // Of SES and Mailgun, the other limits keep each header shorter.
  it.each<[Name, string, string | undefined]>([
    // A space is \u0020 there, and a text has to stand on a line.
    ['sendgrid', `a${' '.repeat(148)}a`, `c${' '.repeat(148)}c`],
    ['brevo', 't'.repeat(98), undefined],
    ['sarbacane', '€'.repeat(100), undefined],
  ])('%s: the longest header', (name, tag, campaign) => {
    const { maxTags, maxHeader } = PROVIDERS[name].limits;
    expect(problem(name, { tags: [tag], campaign })).toBe('');
    expect(problem(name, { tags: different(maxTags, tag), campaign })).toBe('MESSAGE_INVALID tags');
    // One character makes the difference.
    const fits = (tags: readonly string[]): boolean =>
      PROVIDERS[name]
        .headers(labels({ tags, campaign }), { name })
        .every(([, value]) => value.replaceAll('\n', ' ').length <= maxHeader);
    const tags: string[] = [];
    while (fits(different(tags.length + 1, tag))) tags.push(...different(tags.length + 1, tag).slice(-1));
    let last = '';
    for (const letter of [tag[1], 't']) while (fits([...tags, `t${last}${letter}`])) last += letter;
    expect(problem(name, { tags: [...tags, `t${last}`], campaign })).toBe('');
    expect(problem(name, { tags: [...tags, `t${last}t`], campaign })).toBe('MESSAGE_INVALID tags');
  });

  it.each<[Name, object, string]>([
    // Each is 18 letters without its ligature.
    ['ses', { tags: ['ﷺ'.repeat(15)] }, 'tags'],
    ['sendgrid', { campaign: 'ﷺ'.repeat(15) }, 'campaign'],
    ['mailgun', { tags: ['ﷺ'.repeat(8)] }, 'tags'],
    ['brevo', { tags: different(10, 't'.repeat(99)) }, 'tags'],
    ['sarbacane', { tags: different(10, '€'.repeat(99)) }, 'tags'],
  ])('%s: a mail beyond them is refused before it is stored', async (name, over, field) => {
    const relay = relayWith({ thread: false, routes: [ROUTES[name]()] });
    await expect(relay.send({ to: 'ada@example.com', subject: 'Hi', text: 'Hi', ...over })).rejects.toMatchObject({
      code: 'MESSAGE_INVALID',
      details: { field, route: name },
    });
    expect((await relay.messages.list()).items).toEqual([]);
  });
});
