import type { MailRelayModuleOptions } from '@mailrelay/nestjs';
import { type INestApplication, Module, type ModuleMetadata, type NestApplicationOptions } from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { onTestFinished, vi } from 'vitest';

/** Both platforms. */
export const PLATFORMS: readonly (readonly [name: string, adapter: () => ExpressAdapter | FastifyAdapter])[] = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
];

/** Options of a relay in memory that captures its mail. */
export const IN_MEMORY: MailRelayModuleOptions = {
  from: 'App <app@example.com>',
  secret: 'a secret of enough length',
  publicUrl: 'https://mail.example.com',
  store: ':memory:',
};

/** A module class with this metadata. */
export function moduleOf(metadata: ModuleMetadata): new () => object {
  class TestedModule {}
  Module(metadata)(TestedModule);
  return TestedModule;
}

/** Listens on a free port until the test ends; `prepare` is what `main.ts` would do. */
export async function started(
  module: new () => object,
  adapter: AbstractHttpAdapter = new ExpressAdapter(),
  prepare: (app: INestApplication) => unknown = () => {},
  options: NestApplicationOptions = {},
): Promise<{ readonly app: INestApplication; readonly url: string }> {
  const app = await NestFactory.create(module, adapter, { logger: false, abortOnError: false, ...options });
  onTestFinished(() => app.close());
  await prepare(app);
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl() };
}

/** Waits for a state for as long as it takes on a busy machine. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 30_000, interval: 20 });
}
