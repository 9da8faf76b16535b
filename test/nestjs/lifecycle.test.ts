import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { smtp } from '@mailrelay/core';
import { MailRelayModule, MailRelayService } from '@mailrelay/nestjs';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { scratchFolder } from '../support/relay.ts';
import { smtpServer } from '../support/smtp.ts';
import { DECORATOR_ARGUMENTS } from '../support/source.ts';
import { IN_MEMORY, moduleOf, started } from './support.ts';

const hello = (to: string) => ({ to, subject: 'Hello', text: 'Hello' });
const people = (count: number) => Array.from({ length: count }, (_, index) => `reader${index}@example.com`);

describe('a relay in a Nest application', () => {
  it('starts with it, and sends what is due before it has closed, also what providers hand in as they end', async () => {
    @Injectable()
    class Farewell implements OnModuleDestroy {
      private said = false;
      constructor(@Inject(MailRelayService) readonly mail: MailRelayService) {}
      async onModuleDestroy() {
        // Nest 11 calls this again where somebody closes twice.
        if (!this.said) await this.mail.send(hello('farewell@example.com'));
        this.said = true;
      }
    }
    const inbox = await smtpServer();
    const routes = [smtp({ host: '127.0.0.1', port: inbox.port })];
    const imports = [MailRelayModule.forRoot({ ...IN_MEMORY, routes })];
    const { app } = await started(moduleOf({ imports, providers: [Farewell] }));
    for (const to of people(20)) await app.get(MailRelayService).send(hello(to));
    await app.close();
    expect(inbox.mails.map(({ to }) => to).sort()).toEqual([...people(20), 'farewell@example.com'].sort());
  });

  it('keeps what is not in time for the next start', async () => {
    const inbox = await smtpServer();
    const routes = [smtp({ host: '127.0.0.1', port: inbox.port }, { name: 'out', rate: '1/min' })];
    const options = { ...IN_MEMORY, store: join(scratchFolder(), 'relay.db') };
    const first = MailRelayModule.forRoot({ ...options, routes, stop: { timeoutMs: 200 } });
    const before = await started(moduleOf({ imports: [first] }));
    for (const to of people(3)) await before.app.get(MailRelayService).send(hello(to));
    await before.app.close();
    expect(inbox.mails.length).toBeLessThan(2);
    const again = smtp({ host: '127.0.0.1', port: inbox.port }, { name: 'out' });
    const { app } = await started(moduleOf({ imports: [MailRelayModule.forRoot({ ...options, routes: [again] })] }));
    await app.close();
    expect(new Set(inbox.mails.map(({ to }) => to))).toEqual(new Set(people(3)));
  });

  it('stops the start of the application where the store cannot be opened', async () => {
    const imports = [MailRelayModule.forRoot({ ...IN_MEMORY, store: '/dev/null/relay.db' })];
    const app = await NestFactory.create(moduleOf({ imports }), { logger: false, abortOnError: false });
    onTestFinished(() => app.close());
    await expect(app.listen(0)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});

/** An application in a process of its own, that has accepted mail to so many people. */
async function application(store: string, port: number, count: number) {
  const file = join(import.meta.dirname, 'application.child.ts');
  const child = spawn(process.execPath, [...DECORATOR_ARGUMENTS, file, store, String(port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('ready');
  child.stdin.write(
    people(count)
      .map((to) => `${to}\n`)
      .join(''),
  );
  for (let answered = 0; answered < count; answered++) expect((await lines.next()).value).toMatch(/^msg_/);
  return child;
}

describe('a Nest application that is ended from outside', () => {
  it('sends what is due on SIGTERM, where shutdown hooks are on', async () => {
    const inbox = await smtpServer();
    const child = await application(join(scratchFolder(), 'relay.db'), inbox.port, 30);
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(new Set(inbox.mails.map(({ to }) => to))).toEqual(new Set(people(30)));
  });

  it('loses nothing when it is killed: the next process sends what is left', async () => {
    const inbox = await smtpServer();
    const store = join(scratchFolder(), 'relay.db');
    const killed = await application(store, inbox.port, 40);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(inbox.mails.length).toBeLessThan(40);
    await application(store, inbox.port, 0);
    await expect.poll(() => new Set(inbox.mails.map(({ to }) => to)).size).toBe(40);
  });
});
