import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { getPriority } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRsaSigning, type RsaSigning } from '../../../../packages/core/src/compose/dkim/rsa.ts';
import { OTHER_RSA, RSA } from '../../../support/dkim.ts';

const KEYS = [RSA, OTHER_RSA] as const;
let started: Worker[] = [];
let ended: Promise<void>[] = [];
function note(worker: Worker): void {
  started.push(worker);
  ended.push(new Promise((resolve) => worker.once('exit', () => resolve())));
}
let signing: RsaSigning;

beforeEach(() => {
  started = [];
  ended = [];
  process.on('worker', note);
  signing = createRsaSigning();
});

afterEach(async () => {
  process.off('worker', note);
  await signing.close();
});

/** Signs so many texts at once, with either key in turns, and answers how many of the signatures are good. */
async function good(count: number): Promise<number> {
  const texts = Array.from({ length: count }, (_, at) => `text ${at} with one byte beyond ASCII: \xe9`);
  const signatures = await Promise.all(texts.map((text, at) => signing.sign(text, KEYS[at % 2 ? 1 : 0])));
  return texts.filter((text, at) =>
    verify(
      'sha256',
      Buffer.from(text, 'latin1'),
      createPublicKey(KEYS[at % 2 ? 1 : 0]),
      Buffer.from(signatures[at] ?? '', 'base64'),
    ),
  ).length;
}

/** Signs until threads are there and have signed. */
async function withThreads(): Promise<readonly Worker[]> {
  await good(20);
  expect(started.length).toBeGreaterThan(0);
  const online = started.map((worker) => new Promise((resolve) => worker.once('online', resolve)));
  await Promise.race([Promise.all(online), good(300)]);
  return started;
}

describe('RSA signatures', () => {
  it('are good, each with its key, however many are made at once', async () => {
    expect(await good(1)).toBe(1);
    expect(await good(300)).toBe(300);
    expect(await good(300)).toBe(300);
    expect(await good(2)).toBe(2);
  });

  it('are made by threads only where many are waited for', async () => {
    for (let round = 0; round < 20; round++) await good(2);
    expect(started).toEqual([]);
    const workers = await withThreads();
    expect(workers.length).toBeLessThanOrEqual(4);
    expect(await good(100)).toBe(100);
    expect(started).toBe(workers);
  });

  it('are made without threads again after a rest', async () => {
    await signing.close();
    signing = createRsaSigning(400);
    const workers = [...(await withThreads())];
    await Promise.all(ended);
    expect(await good(2)).toBe(2);
    expect(started).toEqual(workers);
    await good(20);
    expect(started.length).toBe(2 * workers.length);
  });

  it('come where a thread dies in the middle of them, and none is started again at once', async () => {
    const [worker] = await withThreads();
    const all = good(300);
    await worker?.terminate();
    expect(await all).toBe(300);
    const count = started.length;
    expect(await good(50)).toBe(50);
    expect(started).toHaveLength(count);
  });

  it('come where the threads are closed in the middle of them', async () => {
    await withThreads();
    const all = good(300);
    await signing.close();
    expect(await all).toBe(300);
    await Promise.all(ended);
    const count = started.length;
    expect(await good(50)).toBe(50);
    expect(started).toHaveLength(count);
  });

  it('say why where a key cannot make them', async () => {
    const { privateKey } = generateKeyPairSync('x25519');
    const attempt = (): Promise<string> => signing.sign('x', privateKey);
    await expect(attempt()).rejects.toThrow(/not supported/);
    await withThreads();
    const all = await Promise.allSettled([...Array.from({ length: 50 }, attempt), signing.sign('x', RSA)]);
    expect(all.filter(({ status }) => status === 'rejected')).toHaveLength(50);
  });

  it('leave the priority of the host as it is', async () => {
    const before = getPriority();
    await withThreads();
    expect(getPriority()).toBe(before);
  });
});
