import type { UnsubscribePage } from '../consent/port.ts';
import type { ResolvedOptions } from '../options.ts';
import type { EngineApi } from '../thread/port.ts';
import type { Tokens } from '../token.ts';

/** The part of the engine that routes use. */
export type HttpEngine = Pick<EngineApi, 'read' | 'unsubscribe' | 'view' | 'captured' | 'capturedSource' | 'health'>;

/** What routes work with. */
export interface HttpContext {
  readonly engine: HttpEngine;
  readonly tokens: Tokens;
  readonly unsubscribePage: UnsubscribePage;
  /** For failures that the reader must not notice. */
  readonly onError: (error: unknown) => void;
}

/** What {@link HttpContext} is made of, and where the routes are served. */
export interface RouterOptions extends HttpContext {
  readonly options: Pick<ResolvedOptions, 'publicUrl' | 'path' | 'environment'>;
}
