import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MailRelay } from '@mailrelay/core';
import { type Express, default as express5 } from 'express';
// @ts-expect-error An alias has no types of its own.
import express4 from 'express4';
import { onTestFinished } from 'vitest';
import { type Bench, bench } from '../core/http/support.ts';

/** Both major versions, with the same types: the relay uses only what they share. */
export const EXPRESS: readonly (readonly [version: string, express: typeof express5])[] = [
  ['Express 4', express4 as unknown as typeof express5],
  ['Express 5', express5],
];

/** What a stand-in relay was told. */
export interface StubRelay extends Bench {
  readonly relay: MailRelay;
  readonly calls: string[];
}

/** The routes of a relay over a stand-in for the engine, to look at mounting alone. */
export function stubRelay(
  options: Parameters<typeof bench>[0] & { readonly start?: () => Promise<void>; readonly name?: string } = {},
): StubRelay {
  const made = bench(options);
  const calls: string[] = [];
  const relay = {
    name: options.name,
    handle: made.router.handle,
    matches: made.router.matches,
    send: async () => ({}),
    keepAlive() {},
    async start() {
      calls.push('start');
      await options.start?.();
    },
    async stop(how: unknown) {
      calls.push(`stop ${JSON.stringify(how)}`);
    },
  } as unknown as MailRelay;
  return { ...made, relay, calls };
}

/** Listens on a free port until the test ends. */
export async function listen(
  app: Express,
): Promise<{ readonly url: string; readonly server: Server; close(): Promise<void> }> {
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, close };
}
