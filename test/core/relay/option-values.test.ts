import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  capture,
  createMailRelay,
  directMx,
  type MailRelayOptions,
  smtp,
  sqlite,
} from '../../../packages/core/src/index.ts';

/** A value that must not stand in an error. */
const SECRET = 'hunter2';

function errorOf(make: () => unknown): Error & { readonly code?: string } {
  try {
    make();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

const host = 'mx.example.com';
const hostname = 'out.example.com';
const auth = { user: 'robot', pass: SECRET };

describe('a value out of range is refused, and its option named', () => {
  it.each<[object, string]>([
    [{ publicUrl: 5 }, 'publicUrl'],
    [{ secret: 5 }, 'secret'],
    [{ secret: [SECRET, 5] }, 'secret[1]'],
    [{ store: 5 }, 'store'],
    [{ store: { kind: 'oracle', path: 'x' } }, 'store'],
    [{ templates: 5 }, 'templates'],
    [{ templates: { folder: 5 } }, 'templates.folder'],
    [{ templates: { folder: ['emails', 5] } }, 'templates.folder[1]'],
    [{ path: 'mail' }, 'path'],
    [{ path: '/mail/' }, 'path'],
    [{ path: '/' }, 'path'],
    [{ path: '/mail/..' }, 'path'],
    [{ path: '/a/../mail' }, 'path'],
    [{ path: '/./mail' }, 'path'],
    [{ path: '/%6dail' }, 'path'],
    [{ path: '/mail?a' }, 'path'],
    [{ path: '/a//mail' }, 'path'],
    [{ store: '' }, 'store'],
    [{ store: { kind: 'sqlite', path: ' ' } }, 'store'],
    [{ templates: { watch: 'no' } }, 'templates.watch'],
    [{ templates: [null] }, 'templates[0]'],
    [{ templates: [{ html: 'x' }] }, 'templates[0].name'],
    [{ templates: [{ name: 'welcome' }] }, 'templates[0]'],
    [{ templates: [{ name: 'welcome', text: 'x' }] }, 'templates[0]'],
    [{ templates: [{ name: 'welcome', html: 'x', mjml: 'y' }] }, 'templates[0]'],
    [{ templates: [{ name: 'welcome', render: 'x' }] }, 'templates[0].render'],
    [{ templates: [{ name: 'welcome', html: 'x', schema: {} }] }, 'templates[0].schema'],
    [{ templates: { templates: [{ name: 5, html: 'x' }] } }, 'templates[0].name'],
    [{ routes: 'smtp://x' }, 'routes'],
    [{ routes: [5] }, 'routes[0]'],
    [{ routes: [null] }, 'routes[0]'],
    [{ routes: [{ kind: 'pigeon' }] }, 'routes[0]'],
    [{ routes: ['http://x'] }, 'routes'],
    [{ routes: [{ kind: 'smtp', smtp: { host, port: 0 }, name: 'x' }] }, 'smtp().port'],
    [{ routes: [{ kind: 'custom', name: 'x' }], thread: false }, 'routes[0].create'],
    [{ routes: [capture(), { kind: 'custom', create() {} }], thread: false }, 'routes[1].name'],
    [{ tracking: true }, 'tracking'],
    [{ tracking: { opens: 'yes' } }, 'tracking.opens'],
    [{ tracking: { utm: { utm_source: 5 } } }, 'tracking.utm.utm_source'],
    [{ tracking: { streams: { broadcast: false } } }, 'tracking.streams.broadcast'],
    [{ unsubscribe: { page: 'page.html' } }, 'unsubscribe.page'],
    [{ unsubscribe: { texts: { en: { title: 5 } } } }, 'unsubscribe.texts.en.title'],
    [{ attachments: { paths: '/tmp' } }, 'attachments.paths'],
    [{ attachments: { hosts: [5] } }, 'attachments.hosts[0]'],
    [{ attachments: { hosts: ['https://cdn.example'] } }, 'attachments.hosts[0]'],
    [{ attachments: { hosts: ['a.example', 'cdn.example/logos'] } }, 'attachments.hosts[1]'],
    [{ attachments: { hosts: ['*.example'] } }, 'attachments.hosts[0]'],
    [{ attachments: { hosts: ['user@cdn.example'] } }, 'attachments.hosts[0]'],
    [{ attachments: { hosts: ['cdn.example:x'] } }, 'attachments.hosts[0]'],
    [{ attachments: { hosts: [' '] } }, 'attachments.hosts[0]'],
    [{ limits: { maxMessageBytes: '25 MB' } }, 'limits.maxMessageBytes'],
    [{ limits: { maxRecipients: 0 } }, 'limits.maxRecipients'],
    [{ limits: null }, 'limits'],
    [{ queue: { leaseMs: true } }, 'queue.leaseMs'],
    [{ queue: { leaseMs: 2 ** 31 } }, 'queue.leaseMs'],
    [{ queue: { deliver: 1 } }, 'queue.deliver'],
    [{ queue: { maxAgeMs: Number.POSITIVE_INFINITY } }, 'queue.maxAgeMs'],
    [{ environment: 'staging' }, 'environment'],
    [{ thread: 'no' }, 'thread'],
    [{ logger: () => {} }, 'logger'],
  ])('%j', (bad, option) => {
    const error = errorOf(() => createMailRelay({ store: ':memory:', ...bad } as unknown as MailRelayOptions));
    expect(error).toMatchObject({ code: 'OPTIONS_INVALID', details: { option } });
    expect(error.message + error.stack).not.toContain(SECRET);
  });

  it.each<[unknown, unknown, string]>([
    [undefined, {}, 'smtp()'],
    [5, {}, 'smtp()'],
    [{}, {}, 'smtp().host'],
    [{ host: '' }, {}, 'smtp().host'],
    [{ host, port: 99_999 }, {}, 'smtp().port'],
    [{ host, port: '587' }, {}, 'smtp().port'],
    [{ host, secure: 'yes' }, {}, 'smtp().secure'],
    [{ host, connections: 0 }, {}, 'smtp().connections'],
    [{ host, connections: 1.5 }, {}, 'smtp().connections'],
    [{ host, maxMessagesPerConnection: -1 }, {}, 'smtp().maxMessagesPerConnection'],
    [{ host, socketTimeoutMs: 'x' }, {}, 'smtp().socketTimeoutMs'],
    [{ host, idleMs: Number.NaN }, {}, 'smtp().idleMs'],
    [{ host, tls: true }, {}, 'smtp().tls'],
    [{ host, tls: { rejectUnauthorized: 'no' } }, {}, 'smtp().tls.rejectUnauthorized'],
    [{ host, tls: { minVersion: 'SSLv3' } }, {}, 'smtp().tls.minVersion'],
    [{ host, auth: SECRET }, {}, 'smtp().auth'],
    [{ host, auth: { user: 'robot' } }, {}, 'smtp().auth.pass'],
    [{ host, auth: { pass: SECRET } }, {}, 'smtp().auth.user'],
    [{ host, auth: { ...auth, method: 'NTLM' } }, {}, 'smtp().auth.method'],
    [`smtp://robot@${host}`, {}, 'smtp().auth.pass'],
    [`smtp://${host}:0`, {}, 'smtp().port'],
    [`smtp://${host}:99999`, {}, 'routes'],
    [`smtp://robot:${SECRET}%zz@${host}`, {}, 'routes'],
    [`smtp://robot:${SECRET}@${host}?pool=true`, {}, 'routes'],
    [`smtp://robot:${SECRET}@${host}/mailbox`, {}, 'routes'],
    [`smtp://robot:${SECRET}@${host}/#x`, {}, 'routes'],
    [`smtp://robot:${SECRET}@${host}#`, {}, 'routes'],
    [`smtp://robot:${SECRET}@${host}?requireTls=maybe`, {}, 'routes'],
    [`smtp://robot:${SECRET}@${host}?requireTls=true&requireTls=false`, {}, 'routes'],
    [`smtp://:${SECRET}@${host}`, {}, 'smtp().auth.user'],
    [`smtp://a:${SECRET}#b@${host}`, {}, 'routes'],
    ['smtp://', {}, 'smtp().host'],
    [{ host }, { rate: 5 }, 'smtp().rate'],
    [{ host }, { rate: '0/s' }, 'smtp().rate'],
    [{ host }, { concurrency: 0 }, 'smtp().concurrency'],
    [{ host }, { concurrency: 2.5 }, 'smtp().concurrency'],
    [{ host }, { name: '' }, 'smtp().name'],
    [{ host }, null, 'smtp()'],
  ])('smtp(%j, %j)', (server, options, option) => {
    const error = errorOf(() => smtp(server as never, options as never));
    expect(error).toMatchObject({ code: 'OPTIONS_INVALID', details: { option } });
    expect(error.message + error.stack).not.toContain(SECRET);
  });

  it.each<[unknown, string]>([
    [undefined, 'directMx()'],
    [{}, 'directMx().hostname'],
    [{ hostname: 'localhost' }, 'directMx().hostname'],
    [{ hostname: '192.0.2.1' }, 'directMx().hostname'],
    [{ hostname: 'two words.example' }, 'directMx().hostname'],
    [{ hostname, localAddresses: [] }, 'directMx().localAddresses'],
    [{ hostname, localAddresses: ['eth0'] }, 'directMx().localAddresses[0]'],
    [{ hostname, localAddresses: { broadcast: ['192.0.2'] } }, 'directMx().localAddresses.broadcast[0]'],
    [{ hostname, ports: 25 }, 'directMx().ports'],
    [{ hostname, ports: { smtp: 0 } }, 'directMx().ports.smtp'],
    [{ hostname, dns: { servers: ['dns.example'] } }, 'directMx().dns.servers[0]'],
    [{ hostname, dns: { servers: ['192.0.2.1:99999'] } }, 'directMx().dns.servers[0]'],
    [{ hostname, dns: { tries: 0 } }, 'directMx().dns.tries'],
    [{ hostname, mtaSts: 'no' }, 'directMx().mtaSts'],
    [{ hostname, connectionsPerSite: 0 }, 'directMx().connectionsPerSite'],
    [{ hostname, deadHostMs: -1 }, 'directMx().deadHostMs'],
    [{ hostname, rate: 'fast' }, 'directMx().rate'],
  ])('directMx(%j)', (options, option) => {
    const error = errorOf(() => directMx(options as never));
    expect(error).toMatchObject({ code: 'OPTIONS_INVALID', details: { option } });
  });

  it('directMx() names what to do instead of an option that it does not have', () => {
    const error = errorOf(() => directMx({ hostname, port: 2525 } as never));
    expect(error).toMatchObject({ code: 'OPTION_UNSUPPORTED', message: expect.stringContaining('ports.smtp') });
    expect(errorOf(() => directMx({ hostname, requireTls: true } as never)).code).toBe('OPTION_UNSUPPORTED');
  });

  it('directMx() is checked as well where the host wrote the route by hand', () => {
    const route = { ...directMx({ hostname }), mx: { hostname: 'localhost' } };
    const error = errorOf(() => createMailRelay({ store: ':memory:', routes: [route] }));
    expect(error).toMatchObject({ code: 'OPTIONS_INVALID', details: { option: 'directMx().hostname' } });
  });

  it.each([{ keep: 0 }, { keep: 'all' }, { concurrency: 0 }, { rate: 'often' }, null])('capture(%j)', (options) => {
    expect(errorOf(() => capture(options as never))).toMatchObject({ code: 'OPTIONS_INVALID' });
  });
});

describe('a key that nobody reads is refused, and named', () => {
  it.each<[() => unknown, string]>([
    [() => smtp({ host, tls: { ciphers: 'all' } } as never), 'smtp().tls.ciphers'],
    [() => smtp({ host, auth: { ...auth, type: 'OAuth2' } } as never), 'smtp().auth.type'],
    [() => smtp({ host }, { heft: 3 } as never), 'smtp().heft'],
    [() => createMailRelay({ unsubscribe: { texts: { en: { titel: 'x' } } } } as never), 'unsubscribe.texts.en.titel'],
    [() => createMailRelay({ tracking: { streams: { news: {} } } } as never), 'tracking.streams.news'],
    [() => createMailRelay({ templates: [{ name: 'x', html: 'x', htm: 'x' }] } as never), 'templates[0].htm'],
    [() => createMailRelay({ routes: [{ kind: 'capture', name: 'x', keep: 1, kep: 2 }] } as never), 'capture().kep'],
    [() => createMailRelay({ store: { ...sqlite('x.db'), walMode: false } } as never), 'store.walMode'],
  ])('%s', (make, option) => {
    const error = errorOf(make);
    expect(error).toMatchObject({ code: 'OPTION_UNSUPPORTED', details: { option } });
    expect(error.message).not.toContain(SECRET);
  });
});

describe('values that are right are taken', () => {
  it.each<[string, MailRelayOptions]>([
    ['an SMTP URL as a route', { routes: ['smtps://robot:p%40ss@mx.example.com:2465'] }],
    ['what is undefined', { routes: undefined, queue: { leaseMs: undefined }, tracking: undefined } as never],
    ['console as a logger', { logger: console }],
    ['all of SMTP', { routes: [smtp({ host, port: 465, secure: true, auth: { ...auth, method: 'PLAIN' }, tls: {} })] }],
    ['a template with a schema', { templates: [{ name: 'x', html: 'x', schema: z.object({}) }] }],
    [
      'a lease of half a second and a rate',
      { queue: { leaseMs: 500.5 }, routes: [capture({ rate: '14/s', keep: 1 })] },
    ],
  ])('%s', (_, options) => {
    expect(createMailRelay({ store: ':memory:', ...options }).publicUrl).toBe('http://localhost:3000');
  });

  it.each([
    ['', undefined],
    ['/', undefined],
    ['?requireTls', true],
    ['/?requireTls=true', true],
    ['?requireTls=false', false],
  ])('an SMTP URL that ends with "%s"', (end, requireTls) => {
    const route = smtp(`smtp://mx.example.com${end}`);
    expect(route.kind === 'smtp' && [route.smtp.host, route.smtp.requireTls]).toEqual([host, requireTls]);
  });

  it('a URL as a route is the same as smtp() of it', async () => {
    const url = 'smtp://robot:p%40ss@mx.example.com:2525';
    expect(smtp(url)).toMatchObject({ name: host, smtp: { host, port: 2525, auth: { user: 'robot', pass: 'p@ss' } } });
    const relay = createMailRelay({ store: ':memory:', thread: false, routes: [url], queue: { deliver: false } });
    await expect(relay.lanes.pause(host)).resolves.toBeUndefined();
    await relay.stop();
  });
});
