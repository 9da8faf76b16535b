/** Events for those who are told of them whatever happens: the host's functions, and its other systems. */
import type { SubscribedEvent, SubscribedType } from '../events.ts';
import type { RequestFacts, Turn, TurnRequest } from '../store/port.ts';

/** What a handler is told beside the event. */
export interface HandlerContext {
  /** Number of this attempt, from 1. */
  readonly attempt: number;
  /** Aborted when the attempt takes too long, or the relay stops. */
  readonly signal: AbortSignal;
}

/** What became of one attempt. */
export type Verdict = { readonly request?: RequestFacts | undefined } & (
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly error: string;
      /** Shortest wait before the next attempt, ms. */
      readonly waitMs?: number | undefined;
      /** Ends further attempts of all events, for this reason, until an operator resumes. */
      readonly pause?: string | undefined;
    }
);

/** Handles one event. A promise that rejects is a failure, too. */
export type Handle = (event: SubscribedEvent, context: HandlerContext) => Promise<Verdict>;

/** Where events come from: the store, or the engine over the boundary of its thread. */
export type Turns = (request: TurnRequest) => Promise<Turn>;

/** An endpoint as operators see it. */
export interface EndpointView {
  readonly name: string;
  /** Without its query, which may carry a token. Undefined where it was added under a secret that the relay has no more. */
  readonly url: string | undefined;
  readonly types: readonly SubscribedType[];
  /** Requests at once. */
  readonly concurrency: number;
  /** Longest wait for an answer, ms. */
  readonly timeoutMs: number;
  /** Where it stands: among the options of this process, or in the store. */
  readonly from: 'options' | 'store';
  /** How many secrets sign at the moment. */
  readonly secrets: number;
  /** When it was added; undefined for one of the options. */
  readonly createdAt: Date | undefined;
}

/** An endpoint of the host's other systems, with nothing left open; plain data, so that it can cross into a thread. */
export interface ResolvedEndpoint {
  readonly name: string;
  readonly url: string;
  /** Keys in base64; the first is the newest. */
  readonly keys: readonly string[];
  readonly types: readonly SubscribedType[];
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly allowPrivateAddresses: boolean;
  /** Certificates to trust, PEM. */
  readonly ca: string | undefined;
}
