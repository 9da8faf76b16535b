import { filled } from './mx/settings.ts';
import type { RouteSpec } from './port.ts';

/** Connections of a route at once, and mails of a route without any, where it says nothing. */
export const CONNECTIONS = 5;

/** Mails that are signed while others are on the connections: more would have to wait for the threads that sign. */
const SIGNED_AHEAD = 30;

/**
 * Mails of a route on their way at once. Half of them are composed, or wait for the DNS or for a host, while the others are on
 * its connections. Signing takes longer than composing, and comes in batches, so that few connections need more than that.
 */
export function placesOf(route: RouteSpec): number {
  if (route.concurrency !== undefined) return route.concurrency;
  const connections = connectionsOf(route);
  if (connections === undefined) return CONNECTIONS;
  const ahead = route.signs === true ? Math.min(3 * connections, SIGNED_AHEAD) : 0;
  return connections + Math.max(connections, ahead);
}

/** Connections of a route at once, over all sites; undefined for a route without any. */
export function connectionsOf(route: RouteSpec): number | undefined {
  if (route.kind === 'smtp') return route.smtp.connections ?? CONNECTIONS;
  return route.kind === 'mx' ? filled(route.mx).connections : undefined;
}

/** Of the connections of a route to one server, those that broadcast mail may take. */
export function broadcastConnections(connections: number): number {
  return Math.max(1, connections - 1);
}
