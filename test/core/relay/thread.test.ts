import { execFile } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createMailRelay, type OutgoingMail, sqlite } from '../../../packages/core/src/index.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';
import { SOURCE_ARGUMENTS } from '../../support/source.ts';

const SOURCE = join(import.meta.dirname, '../../../packages/core');

/** The core as a bundler leaves it: without one of its files. */
async function coreWithout(file: string): Promise<{ createMailRelay: typeof createMailRelay }> {
  const copy = join(scratchFolder(), 'core');
  cpSync(join(SOURCE, 'src'), join(copy, 'src'), { recursive: true });
  cpSync(join(SOURCE, 'package.json'), join(copy, 'package.json'));
  cpSync(join(SOURCE, 'node_modules'), join(copy, 'node_modules'), { recursive: true, verbatimSymlinks: false });
  rmSync(join(copy, file));
  return (await import(pathToFileURL(join(copy, 'src/index.ts')).href)) as { createMailRelay: typeof createMailRelay };
}

it('a start says so where a bundler has left the worker behind, and names the ways out', async () => {
  const core = await coreWithout('src/thread/worker.ts');
  const relay = core.createMailRelay({ store: ':memory:' });
  await expect(relay.start()).rejects.toMatchObject({
    code: 'WORKER_UNAVAILABLE',
    message: expect.stringMatching(/worker.*external.*thread: false/s),
  });
});

it('a template that has to be compiled says so where a bundler has left the compiler behind', async () => {
  const core = await coreWithout('src/compose/mjml-worker.ts');
  const template = { name: 'hello', subject: 'Hi', mjml: '<mjml><mj-body></mj-body></mjml>' };
  const relay = core.createMailRelay({ store: ':memory:', thread: false, templates: [template] });
  await expect(relay.start()).rejects.toMatchObject({
    code: 'WORKER_UNAVAILABLE',
    message: expect.stringMatching(/mjml-worker.*external/s),
  });
});

it('a custom transport sends in the same thread, and only there', async () => {
  const sent: OutgoingMail[] = [];
  const custom = {
    kind: 'custom',
    name: 'mine',
    create: () => ({
      async send(mail: OutgoingMail) {
        sent.push(mail);
        const reply = '250 taken';
        return {
          outcome: { type: 'sent', reply },
          transcript: { route: 'mine', startedAt: Date.now(), ms: 0, steps: [] },
        } as const;
      },
      close: async () => {},
    }),
  } as const;
  expect(() => createMailRelay({ store: ':memory:', routes: [custom] })).toThrow(/thread: false/);
  const relay = relayWith({ thread: false, routes: [custom] });
  await relay.send({ to: 'ada@example.com', subject: 'Hi', text: 'Hello' });
  await vi.waitFor(async () =>
    expect((await relay.messages.list()).items).toMatchObject([{ state: 'sent', route: 'mine' }]),
  );
  expect(sent).toMatchObject([{ envelope: { from: 'app@example.com', to: 'ada@example.com' }, subject: 'Hi' }]);
  expect(sent[0]?.raw.toString()).toContain('Message-ID: <');
});

it('a relay that was stopped says so, until it is started again', async () => {
  const relay = relayWith({ store: sqlite(join(scratchFolder(), 'relay.db')) });
  const message = { to: 'ada@example.com', subject: 'Hi', text: 'Hello' };
  await relay.send(message);
  await relay.stop({ drain: true });
  await expect(relay.send(message)).rejects.toMatchObject({ code: 'RELAY_STOPPED' });
  await relay.start();
  await relay.send(message);
  expect((await relay.messages.list()).items).toHaveLength(2);
});

/** What a relay says that is started in a process of its own. */
async function startIn(given: { readonly options: readonly string[]; readonly before?: string }): Promise<string> {
  const program = `
    const { createMailRelay } = await import(${JSON.stringify(join(SOURCE, 'src/index.ts'))});
    ${given.before ?? ''}
    await createMailRelay({ store: ':memory:', secret: 'a secret of enough length' }).start()
      .then(() => console.log('started'), ({ code, message }) => console.log(code, message));
    process.exit();`;
  const file = join(scratchFolder(), 'start.mjs');
  writeFileSync(file, program);
  const { stdout } = await promisify(execFile)(process.execPath, [...SOURCE_ARGUMENTS, ...given.options, file]);
  return stdout;
}

it('a start says so where the process may have no threads, and names the ways out', async () => {
  const said = await startIn({ options: ['--permission', '--allow-fs-read=*', '--allow-fs-write=*'] });
  expect(said).toMatch(/^WORKER_UNAVAILABLE .*--allow-worker.*thread: false/);
});

it.skipIf(process.platform === 'win32')('a thread that ends as it begins says why', async () => {
  const folder = JSON.stringify(join(scratchFolder(), 'gone'));
  const before = `const fs = await import('node:fs'); fs.mkdirSync(${folder}); process.chdir(${folder}); fs.rmdirSync(${folder});`;
  expect(await startIn({ options: [], before })).toMatch(/^ENGINE_CRASHED .*working directory was likely removed/);
});

it.each([
  ['--max-old-space-size=200', '--expose-gc'],
  ['--input-type=module', '--max-old-space-size=200'],
])('runs in a host that was started with %s %s', async (...options) => {
  const script = `
    import { createMailRelay } from '@mailrelay/core';
    const relay = createMailRelay({ store: ':memory:', secret: 'a secret of enough length' });
    await relay.send({ to: 'ada@example.com', subject: 'Hi', text: 'Hi' });
    await relay.stop({ drain: true });
    console.log('sent');`;
  const file = join(import.meta.dirname, `host-${process.pid}.mjs`);
  writeFileSync(file, script);
  onTestFinished(() => rmSync(file, { force: true }));
  const what = options.some((option) => option.startsWith('--input-type')) ? ['--eval', script] : [file];
  const args = [...SOURCE_ARGUMENTS, ...options, ...what];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname, timeout: 20_000 });
  expect(stdout.trim()).toBe('sent');
});
