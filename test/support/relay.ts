import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import {
  capture,
  createMailRelay,
  type MailRelay,
  type MailRelayOptions,
  sqlite,
} from '../../packages/core/src/index.ts';

/** A folder until the test ends. */
export function scratchFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'mail-relay-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A relay in memory that captures its mail, until the test ends. */
export function relayWith(options: MailRelayOptions = {}): MailRelay {
  const relay = createMailRelay({
    from: 'App <app@example.com>',
    secret: 'a secret of enough length',
    publicUrl: 'https://mail.example.com',
    store: sqlite(':memory:'),
    routes: [capture()],
    ...options,
  });
  onTestFinished(() => relay.stop({ timeoutMs: 1000 }));
  return relay;
}

/** Sources of the mails that a relay has captured, newest first, once there are so many. */
export async function capturedMails(relay: MailRelay, count: number): Promise<string[]> {
  const ids = await vi.waitFor(
    async () => {
      const page = (await (await relay.handle(new Request('https://mail.example.com/mail/')))?.text()) ?? '';
      const found = [...new Set(page.match(/dlv_[0-9a-z]+/g) ?? [])];
      if (found.length < count) throw new Error(`${found.length} of ${count} mails were captured`);
      return found;
    },
    { timeout: 10_000, interval: 20 },
  );
  return Promise.all(
    ids.map(async (id) => {
      const source = await relay.handle(new Request(`https://mail.example.com/mail/inbox/${id}/source`));
      return (await source?.text()) ?? '';
    }),
  );
}
