import type { Clock } from '../clock.ts';
import type { Breakers } from '../route/breakers.ts';
import type { Store } from '../store/port.ts';
import type { Health } from '../thread/port.ts';
import type { RouteFaults } from './route-faults.ts';
import type { Warnings } from './warnings.ts';

/** The answer is kept for so long, ms: the route is open to all, and counting what waits takes time. */
const KEPT_MS = 1000;
/** Lanes that it lists. */
const LANES = 100;

/** State of the engine, counted at most once in a while. */
export function createHealth(context: {
  readonly store: Pick<Store, 'queue' | 'size' | 'alerts'>;
  readonly faults: Pick<RouteFaults, 'failing'>;
  readonly warnings: Pick<Warnings, 'recent'>;
  readonly breakers: Pick<Breakers, 'health'>;
  readonly clock: Pick<Clock, 'now'>;
}): () => Promise<Health> {
  const { store, faults, warnings, breakers, clock } = context;
  let kept: { readonly at: number; readonly health: Promise<Health> } | undefined;

  async function look(): Promise<Health> {
    const { waiting, sending, oldestDueAt } = await store.queue.totals();
    const lanes = await store.queue.lanes({ limit: LANES, offset: 0 });
    const now = clock.now();
    return {
      ok: true,
      store: { ok: true, bytes: (await store.size()).bytes },
      queue: {
        waiting,
        sending,
        oldestMs: Math.max(0, now - (oldestDueAt ?? now)),
      },
      lanes,
      failing: faults.failing(),
      breakers: breakers.health(),
      alerts: store.alerts.open(),
      warnings: warnings.recent(),
    };
  }

  return () => {
    const now = performance.now();
    if (kept === undefined || now - kept.at >= KEPT_MS) kept = { at: now, health: look() };
    return kept.health;
  };
}
