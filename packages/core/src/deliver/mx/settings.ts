import type { DirectMxSettings } from './port.ts';

/** Settings that have a default. */
type Filled =
  | 'connections'
  | 'connectionsPerSite'
  | 'maxMessagesPerConnection'
  | 'idleMs'
  | 'connectionTimeoutMs'
  | 'greetingTimeoutMs'
  | 'socketTimeoutMs'
  | 'deadHostMs';

/** The settings of a route with their defaults. */
export type FilledSettings = DirectMxSettings & { readonly [Name in Filled]: number };

const DEFAULTS: { readonly [Name in Filled]: number } = {
  connections: 100,
  connectionsPerSite: 5,
  maxMessagesPerConnection: 100,
  idleMs: 5000,
  connectionTimeoutMs: 10_000,
  greetingTimeoutMs: 30_000,
  socketTimeoutMs: 120_000,
  deadHostMs: 300_000,
};

/** Fills in what was left open. */
export function filled(settings: DirectMxSettings): FilledSettings {
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  return { ...DEFAULTS, ...given } as FilledSettings;
}
