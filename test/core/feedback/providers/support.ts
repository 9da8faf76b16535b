import { configureWebhooks } from '../../../../packages/core/src/feedback/providers/configure.ts';
import type { WebhookOptions } from '../../../../packages/core/src/feedback/providers/options.ts';
import type { FeedbackEvent, HookRequest, HookTools, WebhookProvider } from '../../../../packages/core/src/index.ts';

export const NOW: number = Date.UTC(2026, 10, 25, 12);
export const SECRET = 'a-secret-of-16-chars';
/** An id as the relay writes it. */
export const DELIVERY = 'dlv_1k2j3';

/** One provider, as the options make it. */
export function provider(name: string, options: WebhookOptions): WebhookProvider {
  const made = configureWebhooks(options, {}).get(name);
  if (made === undefined) throw new Error(`${name} is not configured`);
  return made;
}

export function request(body: unknown, headers: Readonly<Record<string, string>> = {}): HookRequest {
  const bytes = Buffer.from(
    typeof body === 'string' || body instanceof Uint8Array ? body : (JSON.stringify(body) as string),
  );
  const byName = new Map(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value]));
  return { body: bytes, header: (key) => byName.get(key) };
}

/** Pages by URL; all others fail. */
export function tools(now: number = NOW, pages: Readonly<Record<string, string>> = {}): HookTools {
  return {
    now,
    async get(url) {
      const page = pages[url];
      if (page === undefined) throw new Error(`no page ${url}`);
      return page;
    },
  };
}

/** What a body says, whoever sent it. */
export async function read(
  made: WebhookProvider,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<readonly FeedbackEvent[]> {
  return (await made.read(request(body, headers), { now: NOW })) ?? [];
}

/** Type, kind, reason and fault in one line, as the tables of the tests have them. */
export function line({ type, kind, reason, fault }: FeedbackEvent): string {
  return [type, kind, reason, fault].filter((one) => one !== undefined).join(' ');
}
