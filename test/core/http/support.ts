import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { createUnsubscribePage } from '../../../packages/core/src/consent/page.ts';
import { createRouter, type HttpEngine, type Router } from '../../../packages/core/src/http/router.ts';
import type { Reading } from '../../../packages/core/src/thread/port.ts';
import { createTokens, type Tokens } from '../../../packages/core/src/token.ts';
import type { UnsubscribeOptions } from '../../../packages/core/src/unsubscribe.ts';

/** What the routes told the engine. */
export interface Told {
  readonly readings: Reading[];
  readonly unsubscribed: Parameters<HttpEngine['unsubscribe']>[0][];
  readonly errors: unknown[];
}

export interface Bench extends Told {
  readonly router: Router;
  readonly tokens: Tokens;
  /** Asks the router over the web-standard face. */
  ask(path: string, init?: RequestInit): Promise<Response | undefined>;
}

/** A router with a stand-in for the engine. */
export function bench(
  options: {
    readonly engine?: Partial<HttpEngine>;
    readonly publicUrl?: string;
    readonly path?: string;
    readonly environment?: 'development' | 'production';
    readonly unsubscribe?: UnsubscribeOptions;
  } = {},
): Bench {
  const told: Told = { readings: [], unsubscribed: [], errors: [] };
  const tokens = createTokens(['a secret of enough length']);
  const engine: HttpEngine = {
    read: async (reading) => void told.readings.push(reading),
    unsubscribe: async (claim) => void told.unsubscribed.push(claim),
    subscription: async () => ({ sender: undefined, unsubscribed: false, mayReturn: false }),
    resubscribe: async () => false,
    view: async (id) => (id === 7 ? '<p>Mail 7</p>' : undefined),
    captured: async () => [],
    capturedHead: async () => undefined,
    capturedSource: async () => undefined,
    clearCaptured: async () => {},
    health: async () => ({
      ok: true,
      store: { ok: true, bytes: 1 },
      queue: { waiting: 0, sending: 0, oldestMs: 0 },
      lanes: [],
      failing: [],
      breakers: {},
      alerts: [],
      warnings: [],
    }),
    receive: async () => [],
    receiveOnce: async () => [],
    ...options.engine,
  };
  const router = createRouter({
    engine,
    tokens,
    options: {
      publicUrl: options.publicUrl ?? 'https://app.example',
      path: options.path ?? '/mail',
      from: undefined,
      environment: options.environment ?? 'production',
      webhooks: new Map(),
    },
    unsubscribePage: createUnsubscribePage(options.unsubscribe ?? {}),
    now: () => Date.now(),
    onError: (error) => void told.errors.push(error),
    onRefusal: () => {},
    onUnknown: () => {},
  });
  const ask = (path: string, init?: RequestInit) => router.handle(new Request(`https://app.example${path}`, init));
  return { ...told, router, tokens, ask };
}

/** A real server on a free port until the test ends. */
export async function serve(listener: RequestListener): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
