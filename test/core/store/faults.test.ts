import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { SMTPServer } from 'smtp-server';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { smtp } from '../../../packages/core/src/index.ts';
import { SOURCE_ARGUMENTS } from '../../support/source.ts';
import { folder, message, relayOn, storeOn } from './files.ts';

/** A file system of this size; undefined where this user may not make one. */
function smallDisk(size: string): string | undefined {
  const path = folder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', path]));
  return path;
}

it('a store at the path of a folder is an error that says so', async () => {
  await expect(relayOn(`${folder()}/relay.db/`).start()).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringContaining('is not the path of a file'),
  });
});

describe('a database that cannot be written', () => {
  it('refuses mail with a clear error, naming the file', async () => {
    const path = folder();
    const file = join(path, 'relay.db');
    const store = storeOn(file);
    await store.open();
    await store.close();
    chmodSync(file, 0o444);
    chmodSync(path, 0o555);
    onTestFinished(() => chmodSync(path, 0o755));
    const script = `
      import { createMailRelay } from '@mailrelay/core';
      if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
      const relay = createMailRelay({ from: 'app@example.com', store: ${JSON.stringify(file)}, thread: false, secret: 'a secret of enough length' });
      await relay.send({ to: 'ada@example.com', subject: 'Hi', text: 'Hi' }).then(() => console.log('sent'), (error) => console.log(error.code, error.message));
      process.exit(0);`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...SOURCE_ARGUMENTS, '--input-type=module', '--eval', script],
      { cwd: import.meta.dirname, timeout: 20_000 },
    );
    expect(stdout).toMatch(/^STORE_(?:READ_ONLY|UNAVAILABLE) /);
    expect(stdout).toContain(file);
  });
});

describe('a full disk', () => {
  it('refuses mail with STORE_FULL, keeps what it had, and goes on when there is room again', async (test) => {
    const path = smallDisk('3m');
    if (path === undefined) return test.skip('this user may not mount a small disk');
    const relay = relayOn(join(path, 'relay.db'));
    const large = { ...message, text: 'x'.repeat(200_000) };
    const accepted: string[] = [];
    let failure: unknown;
    for (let index = 0; index < 50 && failure === undefined; index++) {
      await relay.send({ ...large, subject: `mail ${index}`, text: `${index} ${large.text}` }).then(
        ({ id }) => accepted.push(id),
        (error: unknown) => {
          failure = error;
        },
      );
    }
    expect(failure).toMatchObject({ code: 'STORE_FULL', retry: true });
    expect(accepted.length).toBeGreaterThan(3);
    const { items } = await relay.messages.list({ limit: 1000 });
    expect(items.map(({ messageId }) => messageId).sort()).toEqual([...accepted].sort());
    execFileSync('mount', ['-o', 'remount,size=16m', path]);
    await vi.waitFor(async () => accepted.push((await relay.send(large)).id));
    expect((await relay.messages.list({ limit: 1000 })).items).toHaveLength(accepted.length);
  });

  it('keeps the results of mail that was sent until they can be written', async (test) => {
    const path = smallDisk('3m');
    if (path === undefined) return test.skip('this user may not mount a small disk');
    const file = join(path, 'relay.db');
    const received: string[] = [];
    const filled = Promise.withResolvers<void>();
    const errors: unknown[] = [];
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData(stream, session, done) {
        received.push(String(session.envelope.rcptTo[0]?.address));
        stream.resume();
        stream.on('end', () => void filled.promise.then(() => done()));
      },
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
    const { port } = server.server.address() as AddressInfo;
    const relay = relayOn(file, true, smtp({ host: '127.0.0.1', port, name: 'local' }), (fields) =>
      errors.push(fields.error),
    );
    await relay.lanes.pause('127.0.0.1');
    for (let index = 0; index < 20; index++) await relay.send({ ...message, to: `r${index}@example.com` });
    const filler = new DatabaseSync(file, { timeout: 5000 });
    onTestFinished(() => filler.close());
    filler.exec('CREATE TABLE filler (bytes)');
    const fill = (size: number): void => {
      try {
        for (;;) filler.prepare('INSERT INTO filler VALUES (zeroblob(?))').run(size);
      } catch {}
    };
    await relay.lanes.resume('127.0.0.1');
    await vi.waitFor(() => expect(received.length).toBeGreaterThan(0));
    for (const size of [100_000, 2000, 1]) fill(size);
    filled.resolve();
    await vi.waitFor(() => expect(errors.join()).toContain('disk of the database is full'), { timeout: 10_000 });
    execFileSync('mount', ['-o', 'remount,size=16m', path]);
    await vi.waitFor(
      async () => {
        const { items } = await relay.messages.list({ limit: 100 });
        expect(items.map(({ state }) => state)).toEqual(Array.from({ length: 20 }, () => 'sent'));
        expect(items.every(({ attempts }) => attempts === 1)).toBe(true);
      },
      { timeout: 20_000, interval: 100 },
    );
    expect(received).toHaveLength(20);
    expect(new Set(received).size).toBe(20);
  }, 30_000);
});

describe('a damaged row', () => {
  it('fails alone, and is named; the others go out', async () => {
    const file = join(folder(), 'relay.db');
    const relay = relayOn(file);
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      const recipients = [{ to: `${name}@example.com`, metadata: { name } }];
      await relay.sendMany(recipients, { subject: 'Hello', text: 'Hello', campaign: name });
    }
    for (const { id } of (await relay.messages.list()).items) ids.push(id);
    const raw = new DatabaseSync(file);
    raw.exec("UPDATE delivery SET data = '{\"data\":' WHERE recipient = 'b@example.com'");
    raw.close();
    const other = relayOn(file, true);
    await other.start();
    await vi.waitFor(async () =>
      expect((await other.messages.list()).items.map(({ recipient, state }) => `${recipient[0]} ${state}`)).toEqual([
        'c sent',
        'b failed',
        'a sent',
      ]),
    );
    expect(await other.reports.campaign('b')).toMatchObject({ failed: 1, pending: 0 });
    expect((await other.messages.get(ids[1] as string))?.events.at(-1)).toMatchObject({
      type: 'failed',
      reason: 'system',
    });
  });

  it('of a content fails its own mail alone; what others sent is written, and nobody gets a mail twice', async () => {
    const file = join(folder(), 'relay.db');
    const relay = relayOn(file);
    const ids: string[] = [];
    for (let index = 0; index < 12; index++)
      ids.push((await relay.send({ ...message, to: `r${index}@example.com`, text: `Hello ${index}` })).id);
    await relay.messages.list();
    const raw = new DatabaseSync(file);
    raw.exec('UPDATE content SET json = \'{"from":\' WHERE id = 7');
    raw.close();
    const sent: string[] = [];
    const other = relayOn(file, true);
    other.on('sent', ({ recipient }) => void sent.push(recipient));
    await other.start();
    const states = async (): Promise<string[]> => (await other.messages.list()).items.map(({ state }) => state);
    await expect.poll(async () => (await states()).filter((state) => state === 'sent').length).toBe(11);
    expect((await states()).filter((state) => state === 'failed')).toHaveLength(1);
    expect(new Set(sent).size).toBe(sent.length);
    await expect(other.messages.get(ids[6] as string)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it('is STORE_CORRUPT where it is asked for', async () => {
    const file = join(folder(), 'relay.db');
    const relay = relayOn(file);
    const { id } = await relay.send(message);
    await relay.messages.list();
    const raw = new DatabaseSync(file);
    raw.exec("UPDATE content SET json = '{'");
    raw.close();
    await expect(relayOn(file).messages.get(id)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });
});

describe('a database file that goes away while it is in use', () => {
  it('is noticed: nothing is accepted into a file that nobody will find', async () => {
    const file = join(folder(), 'relay.db');
    const relay = relayOn(file);
    await relay.send(message);
    rmSync(file);
    await expect(relay.send(message)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('removed or replaced'),
    });
  });
});
