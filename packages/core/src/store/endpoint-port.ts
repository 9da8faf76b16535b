import type { SubscribedType } from '../events.ts';

/** An endpoint that was added while the relay ran. */
export interface StoredEndpoint {
  readonly name: string;
  /** What it is, sealed: URLs and keys are nobody's business who reads the database. */
  readonly sealed: string;
  readonly createdAt: number;
}

/** Endpoints of webhooks that were added while the relay ran. Each is a subscription of its name. */
export interface EndpointStore {
  /** All of them, by name. */
  all(): readonly StoredEndpoint[];
  /** Adds one, with its subscription. Throws `OPTIONS_INVALID` where the name is taken, or there are 100. */
  add(endpoint: StoredEndpoint & { readonly types: readonly SubscribedType[] }): Promise<void>;
  /**
   * Changes what is sealed, as no other process does at the same time. What the change throws changes nothing. Throws
   * `SUBSCRIPTION_NOT_FOUND`.
   */
  change(name: string, change: (sealed: string) => string): Promise<void>;
  /** Forgets one, with its subscription and what waits for it. Throws `SUBSCRIPTION_NOT_FOUND`. */
  remove(name: string): Promise<void>;
}
