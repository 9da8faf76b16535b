import type { QueueOptions } from '../../../packages/core/src/index.ts';

/** How a relay in another process is set up. Plain data. */
export interface RelaySettings {
  readonly store: string;
  readonly smtp: {
    readonly port: number;
    readonly connections?: number;
    readonly idleMs?: number;
    readonly greetingTimeoutMs?: number;
    readonly socketTimeoutMs?: number;
  };
  readonly rate?: string;
  readonly concurrency?: number;
  readonly queue?: QueueOptions;
  readonly tracking?: { readonly opens: boolean; readonly clicks: boolean };
  /** Serves the relay's routes on this port. */
  readonly http?: number;
}

/** A call of a function of the relay. */
export interface Call {
  readonly n: number;
  readonly name: string;
  readonly parameters: readonly unknown[];
}

/** Its answer. */
export interface Answer {
  readonly n: number;
  readonly value?: unknown;
  readonly error?: { readonly message: string; readonly code: string | undefined };
}
