import { capture, directMx, type RouteSpec, smtp } from '@mailrelay/core';
import { expect, it } from 'vitest';
import { placesOf } from '../../../packages/core/src/deliver/places.ts';
import { RSA } from '../../support/dkim.ts';
import { relayWith } from '../../support/relay.ts';

const server = { host: 'mx.example.com' };
const hostname = 'mail.example.com';

it.each<[string, RouteSpec, number]>([
  ['a server', smtp(server), 10],
  ['a server with 20 connections', smtp({ ...server, connections: 20 }), 40],
  ['a server with one connection', smtp({ ...server, connections: 1 }), 2],
  ['a server and a number of its own', smtp({ ...server, connections: 20 }, { concurrency: 3 }), 3],
  ["recipients' mail servers", directMx({ hostname }), 200],
  ["recipients' mail servers over 7 connections", directMx({ hostname, connections: 7 }), 14],
  ["recipients' mail servers and a number of its own", directMx({ hostname, concurrency: 3 }), 3],
  ['no connections at all', capture(), 5],
  ['a server, signed', { ...smtp(server), signs: true }, 20],
  ['a server with 10 connections, signed', { ...smtp({ ...server, connections: 10 }), signs: true }, 40],
  ['a server with 20 connections, signed', { ...smtp({ ...server, connections: 20 }), signs: true }, 50],
  ['a server with 40 connections, signed', { ...smtp({ ...server, connections: 40 }), signs: true }, 80],
  ["recipients' mail servers, signed", { ...directMx({ hostname }), signs: true }, 200],
  ['a server and a number of its own, signed', { ...smtp(server, { concurrency: 3 }), signs: true }, 3],
])('a route to %s has mails on their way', (_, route, places) => {
  expect(placesOf(route)).toBe(places);
});

it.each([
  ['one for each connection beside those on them', undefined, '10 at once'],
  ['more where the relay signs', { keys: [{ domain: 'example.com', selector: 's1', privateKey: RSA }] }, '20 at once'],
] as const)('it composes %s', async (_, dkim, text) => {
  const relay = relayWith({ routes: [smtp('smtp://localhost:1', { name: 'out' })], dkim, queue: { deliver: false } });
  await relay.send({ to: 'ada@example.org', subject: 'Hi', text: 'Hi', from: 'app@example.com' });
  const [lane] = await relay.lanes.list();
  expect(lane?.limits).toContainEqual(expect.objectContaining({ kind: 'concurrency', text }));
});
