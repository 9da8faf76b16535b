import { expect, it, onTestFinished, vi } from 'vitest';
import { createDisk } from '../../../packages/core/src/store/sqlite/disk.ts';
import { scratchFolder } from '../../support/relay.ts';

const REFUSED = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });

/** Lets the disk refuse. */
let refuse: (() => void) | undefined;

vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  // A disk that takes long, and then refuses; who asks it directly meanwhile is told nothing.
  fdatasync(_: number, done: (error: Error) => void) {
    refuse = () => done(REFUSED);
  },
}));

it('what the thread pool is told too late is not lost: the next who asks is told', async () => {
  const { writeFileSync } = await import('node:fs');
  const log = `${scratchFolder()}/log`;
  writeFileSync(log, 'x');
  const disk = createDisk(log);
  onTestFinished(() => disk.close());
  const sync = (): Promise<unknown> => new Promise((resolve) => disk.sync(resolve));
  expect(await sync()).toBe(undefined);
  refuse?.();
  expect(await sync()).toBe(REFUSED);
  expect(await sync()).toBe(undefined);
});
