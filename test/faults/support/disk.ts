/** Small disks, which can be full. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';

/** `memory`: a file system in memory of 24 MB; `ext4`: one in a file of 32 MB, on a loop device. */
export type DiskKind = 'memory' | 'ext4';

/** Folders of disks are named after the process that has made them. */
const PREFIX = 'mail-relay-disk-';
const NAME = new RegExp(`^${PREFIX}(\\d+)-`);

/**
 * A disk until the test ends. The test is skipped where this user may not make one; in CI that is an error.
 *
 * @param pid - the process that it is of
 */
export function smallDisk({ skip }: TestContext, kind: DiskKind = 'memory', pid: number = process.pid): string {
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${pid}-`));
  onTestFinished(() => removeDisk(folder));
  try {
    return mountIn(folder, kind);
  } catch (error) {
    // Containers, as CI has them, often have no loop devices.
    if (process.env.CI && kind === 'memory') throw error;
    return skip(`this user may not mount a small disk (${kind}): ${(error as Error).message}`);
  }
}

function mountIn(folder: string, kind: DiskKind): string {
  const path = join(folder, 'disk');
  mkdirSync(path);
  if (kind === 'memory') {
    run('mount', '-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', path);
    return path;
  }
  const image = join(folder, 'image');
  writeFileSync(image, Buffer.alloc(32 << 20));
  run('mkfs.ext4', '-q', '-F', '-m', '0', image);
  run('mount', '-o', 'loop', image, path);
  return path;
}

function run(program: string, ...parameters: readonly string[]): void {
  execFileSync(program, parameters, { stdio: 'pipe' });
}

function removeDisk(folder: string): void {
  try {
    run('umount', '--lazy', join(folder, 'disk'));
  } catch {
    // It was never mounted.
  }
  rmSync(folder, { recursive: true, force: true });
}

/** Removes the disks of processes that were killed before they could. */
export function removeStaleDisks(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && !lives(Number(pid))) removeDisk(join(tmpdir(), name));
  }
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Writes until nothing fits any more; answers how to make room again, for so many bytes more or for all. */
export function fill(disk: string): (bytes?: number) => void {
  const file = openSync(join(disk, 'filler'), 'w');
  try {
    for (let size = 1 << 20; size >= 1; size = size > 1 ? size >> 4 : 0) writeAll(file, Buffer.alloc(size));
    // ext4 reserves more than it takes: some of it is free once this is on the disk.
    fsyncSync(file);
    writeAll(file, Buffer.alloc(4096));
    writeAll(file, Buffer.alloc(1));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return (bytes = Number.POSITIVE_INFINITY) => {
    const filler = openSync(join(disk, 'filler'), 'r+');
    ftruncateSync(filler, Math.max(0, fstatSync(filler).size - bytes));
    closeSync(filler);
  };
}

function writeAll(file: number, piece: Buffer): void {
  try {
    while (writeSync(file, piece) > 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
