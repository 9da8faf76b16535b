import type { Mailbox } from '../address.ts';
import type { UnsubscribePage } from '../consent/port.ts';
import type { WebhookProvider } from '../feedback/port.ts';
import type { ResolvedOptions } from '../options.ts';
import type { EngineApi, Reading } from '../thread/port.ts';
import type { Tokens } from '../token.ts';

/** The part of the engine that routes use. */
export interface HttpEngine
  extends Pick<
    EngineApi,
    | 'unsubscribe'
    | 'subscription'
    | 'resubscribe'
    | 'view'
    | 'captured'
    | 'capturedHead'
    | 'capturedSource'
    | 'clearCaptured'
    | 'health'
    | 'receive'
    | 'receiveOnce'
  > {
  /** Resolves when what a reader did is durable. */
  read(reading: Reading): Promise<void>;
}

/** What routes work with. */
export interface HttpContext {
  readonly engine: HttpEngine;
  readonly tokens: Tokens;
  readonly unsubscribePage: UnsubscribePage;
  /** Ms since the epoch. */
  now(): number;
  /** Where recipients reach the host application. */
  readonly publicUrl: string;
  /** Sender of messages that name none. */
  readonly from: Mailbox | undefined;
  /** For failures that the reader must not notice. */
  readonly onError: (error: unknown) => void;
  /** For webhooks that are refused: which, and why. The log only, since who sent it is unknown. */
  readonly onRefusal: (fields: { readonly provider: string; readonly because: string }) => void;
  /** For kinds of events that a provider's webhooks have and nothing here knows. */
  readonly onUnknown: (fields: { readonly provider: string; readonly kind: string }) => void;
  /** Whose webhooks are received, by name. */
  readonly webhooks: ReadonlyMap<string, WebhookProvider>;
}

/** What {@link HttpContext} is made of, and where the routes are served. */
export interface RouterOptions extends Omit<HttpContext, 'publicUrl' | 'from' | 'webhooks'> {
  readonly options: Pick<ResolvedOptions, 'publicUrl' | 'path' | 'from' | 'environment' | 'webhooks'>;
}
