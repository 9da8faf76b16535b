import type { HttpAdapterHost } from '@nestjs/core';
import { createHandler } from './handler.ts';
import type { MailRelayService } from './mail-relay.service.ts';
import { refuse } from './options.ts';

/** What is mounted, by HTTP adapter. */
const mounted = new WeakMap<object, MailRelayService[]>();

/**
 * Mounts the routes as soon as there is an HTTP adapter: before the body parsers, and before anything that Nest adds for
 * prefixes, versions and guards. Where there is none (workers, microservices), nothing is mounted.
 */
export function mount(relay: MailRelayService, host: HttpAdapterHost): void {
  // A stand-in in a test may have no routes.
  if (typeof relay.matches !== 'function') return;
  host.init$.subscribe(() => {
    const adapter = host.httpAdapter;
    if (!adapter) return;
    mounted.set(adapter, [...(mounted.get(adapter) ?? []), relay]);
    adapter.use(createHandler(relay));
  });
}

/** @throws MailRelayError `OPTIONS_INVALID` where another relay serves the same path, and would get its requests. */
export function checkAlone(relay: MailRelayService, path: string, host: HttpAdapterHost): void {
  const others = (mounted.get(Object(host.httpAdapter)) ?? []).filter((other) => other !== relay);
  if (others.some((other) => other.matches(`${path}/health`)))
    refuse('path', `is ${path} for two relays: give one of them another`);
}
