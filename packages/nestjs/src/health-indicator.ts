import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { getMailRelayToken } from './inject-mail-relay.ts';
import type { MailRelayService } from './mail-relay.service.ts';

/** When the relay counts as down. */
export interface MailRelayHealthOptions {
  /** Name of the relay; none for the one without a name. */
  readonly relay?: string;
  /**
   * Longest time that mail may wait after it was due, ms.
   * @default 900000 (15 minutes)
   */
  readonly maxQueueAgeMs?: number;
  /**
   * Longest time that a route may not work, ms; its mail waits for so long.
   * @default 300000 (5 minutes)
   */
  readonly maxRouteFailureMs?: number;
}

/** As @nestjs/terminus wants it. */
export type MailRelayHealthResult<Key extends string> = Record<
  Key,
  { readonly status: 'up' | 'down' } & Readonly<Record<string, unknown>>
>;

/**
 * Health of the relay for `@nestjs/terminus`.
 *
 * @example
 * @HealthCheck() @Get() check() { return this.health.check([() => this.mail.check('mail')]); }
 */
@Injectable()
export class MailRelayHealthIndicator {
  readonly #modules: ModuleRef;

  constructor(@Inject(ModuleRef) modules: ModuleRef) {
    this.#modules = modules;
  }

  /** Whether the store answers, the queue moves and the routes work. */
  async check<const Key extends string>(
    key: Key,
    { relay, maxQueueAgeMs = 900_000, maxRouteFailureMs = 300_000 }: MailRelayHealthOptions = {},
  ): Promise<MailRelayHealthResult<Key>> {
    const service = this.#modules.get<MailRelayService>(getMailRelayToken(relay), { strict: false });
    try {
      const { ok, store, queue, failing } = await service.health();
      const failingRoutes = failing.map(({ route, reason, since }) => ({ route, reason, forMs: Date.now() - since }));
      const problems = [
        ...(ok && store.ok ? [] : ['the store does not work']),
        ...(queue.oldestMs > maxQueueAgeMs ? [`mail waits for ${queue.oldestMs} ms`] : []),
        ...failingRoutes
          .filter(({ forMs }) => forMs > maxRouteFailureMs)
          .map(({ route, reason }) => `the route ${route} does not work (${reason})`),
      ];
      const details = { store, queue, failingRoutes };
      if (problems.length === 0) return result(key, { status: 'up', ...details });
      return result(key, { status: 'down', message: problems.join('; '), ...details });
    } catch (error) {
      return result(key, { status: 'down', message: error instanceof Error ? error.message : String(error) });
    }
  }
}

function result<Key extends string>(key: Key, value: MailRelayHealthResult<Key>[Key]): MailRelayHealthResult<Key> {
  return { [key]: value } as MailRelayHealthResult<Key>;
}
