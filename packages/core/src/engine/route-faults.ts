import type { Outcome } from '../deliver/port.ts';
import { encodeId } from '../message.ts';
import type { HostApi } from '../thread/port.ts';

/** Reasons that are about the route, whoever the mail is for. */
const FAULTS: ReadonlySet<string> = new Set(['auth-failure', 'tls', 'network', 'timeout']);
const AGAIN_MS = 60_000;

/**
 * Tells the log that a route does not work: its mail waits, and nobody else would say so. Once a minute for each route and
 * reason; without the server's words, which may hold addresses.
 */
export function createRouteFaults(
  log: HostApi['log'],
): (route: string, deliveryId: number, outcome: Outcome, now: number) => void {
  const told = new Map<string, number>();
  return (route, deliveryId, outcome, now) => {
    if (outcome.type !== 'deferred' || !FAULTS.has(outcome.reason)) return;
    const key = `${route} ${outcome.reason}`;
    if (now - (told.get(key) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
    told.set(key, now);
    const fields = { route, reason: outcome.reason, status: outcome.status, delivery: encodeId('dlv', deliveryId) };
    log('warn', fields, 'a route does not work; its mail waits and is tried again');
  };
}
