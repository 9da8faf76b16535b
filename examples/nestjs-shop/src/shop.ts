import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.ts';

/** The shop on one of the two platforms; nothing else in it knows which. */
export async function createShop(platform: 'express' | 'fastify'): Promise<INestApplication> {
  const adapter = platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  const app = await NestFactory.create(AppModule, adapter, { logger: ['error', 'warn'] });
  // SIGTERM then closes the application, and the relay sends what is due before it ends.
  app.enableShutdownHooks();
  return app;
}
