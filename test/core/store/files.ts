import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { capture, createMailRelay, type MailRelay, type RouteSpec } from '../../../packages/core/src/index.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';

export const message = { to: 'ada@example.com', subject: 'Hello', text: 'Hello' } as const;

export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'mail-relay-faults-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export function relayOn(
  store: string,
  deliver = false,
  route: RouteSpec = capture(),
  onError: (fields: Record<string, unknown>) => void = () => {},
): MailRelay {
  const relay = createMailRelay({
    from: 'app@example.com',
    store,
    routes: [route],
    queue: { deliver },
    logger: { debug() {}, info() {}, warn() {}, error: onError },
  });
  onTestFinished(() => relay.stop({ timeoutMs: 500 }));
  return relay;
}

export function storeOn(path: string): Store {
  return createSqliteStore({ path, messageIdOf: () => '<1@example.com>' });
}
