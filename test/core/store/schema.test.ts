import { execFile } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { contentOf, recipientOf } from '../../support/content.ts';
import { SOURCE_ARGUMENTS } from '../../support/source.ts';
import { folder, message, relayOn, storeOn } from './files.ts';

describe('the schema', () => {
  it('is made once, by many processes that start at once', async () => {
    const file = join(folder(), 'new', 'relay.db');
    const script = `
      import { createMailRelay } from '@mailrelay/core';
      const relay = createMailRelay({ from: 'app@example.com', store: ${JSON.stringify(file)}, secret: 'a secret of enough length', queue: { deliver: false } });
      await relay.send({ to: 'ada@example.com', subject: 'Hi', text: 'Hi' });
      await relay.stop();`;
    const start = () =>
      promisify(execFile)(process.execPath, [...SOURCE_ARGUMENTS, '--input-type=module', '--eval', script], {
        cwd: import.meta.dirname,
        timeout: 30_000,
      });
    await Promise.all([start(), start(), start(), start()]);
    expect((await relayOn(file).messages.list()).items).toHaveLength(4);
  }, 40_000);

  it('of a later version is left alone, and the start says so', async () => {
    const file = join(folder(), 'relay.db');
    const relay = relayOn(file);
    await relay.send(message);
    await relay.stop();
    const raw = new DatabaseSync(file);
    raw.exec("INSERT INTO kysely_migration (name, timestamp) VALUES ('9999-later', '2030-01-01')");
    raw.close();
    await expect(relayOn(file).start()).rejects.toMatchObject({
      code: 'STORE_NEWER',
      message: expect.stringContaining('9999-later'),
    });
  });

  it('takes less than 400 bytes for a delivery that was sent, and what the recipient has of its own', async () => {
    const file = join(folder(), 'relay.db');
    const store = storeOn(file);
    await store.open();
    const count = 5000;
    const recipients = Array.from({ length: count }, (_, index) =>
      recipientOf(`somebody.number.${index}@mail.example.com`),
    );
    const { recipients: _, ...opening } = { ...base(), recipients: [] };
    const { id } = await store.intake.open({ ...opening, campaign: 'spring' });
    await store.intake.append(id, recipients, { now: 1 });
    const owner = await store.queue.register({ pid: 1, host: 'here', rates: {} }, 1);
    const lane = { route: 'mx.provider.example', stream: 'transactional' } as const;
    for (;;) {
      const claimed = await store.queue.claim({ lane, limit: 500, owner, now: 2 });
      if (claimed.length === 0) break;
      const reply = '250 2.0.0 Ok: queued as 4F2A93B21C0';
      const steps = [
        { step: 'MAIL', reply: '250 2.1.0 Ok', ms: 31 },
        { step: 'RCPT', reply: '250 2.1.5 Ok', ms: 12 },
        { step: 'DATA', reply: '354 End data with <CR><LF>.<CR><LF>', ms: 0 },
        { step: 'MESSAGE', reply, ms: 112 },
      ];
      const transcript = { route: lane.route, host: lane.route, tls: true, startedAt: 2, ms: 143, steps };
      await store.queue.settle(
        claimed.map((one) => ({
          deliveryId: one.id,
          startedAt: 2,
          transcript,
          result: { type: 'sent', reply } as const,
        })),
        { owner, now: 150 },
      );
    }
    expect(await store.reports.campaign('spring')).toMatchObject({ sent: count });
    await store.close();
    expect(statSync(file).size / count).toBeLessThan(400);
  });
});

function base() {
  return {
    content: contentOf(),
    tags: [],
    metadata: undefined,
    sendAt: undefined,
    idempotencyKey: undefined,
    route: 'mx.provider.example',
    now: 1,
  };
}

it('makes the folder of the database for its owner only', async () => {
  const path = join(folder(), 'private');
  const store = storeOn(join(path, 'relay.db'));
  await store.open();
  onTestFinished(() => store.close());
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(() => mkdirSync(path)).toThrow();
});
