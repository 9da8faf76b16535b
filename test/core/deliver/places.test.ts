import { capture, directMx, type RouteSpec, smtp } from '@mailrelay/core';
import { expect, it } from 'vitest';
import { placesOf } from '../../../packages/core/src/deliver/places.ts';

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
])('a route to %s has mails on their way', (_, route, places) => {
  expect(placesOf(route)).toBe(places);
});
