import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createTestRelay, type TestKit } from '@mailrelay/core/testing';
import { createApp } from '../src/app.ts';

const HOUR = 3_600_000;

describe('signing up', () => {
  let kit: TestKit;
  let server: Server;
  let base = '';

  before(async () => {
    kit = await createTestRelay({ templates: new URL('../emails', import.meta.url).pathname });
    server = createApp(kit.relay, kit.clock.now).listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  after(async () => {
    server.close();
    server.closeAllConnections();
    await kit.stop();
  });

  beforeEach(() => kit.inbox.clear());

  async function signUp(name: string, email: string): Promise<void> {
    const body = JSON.stringify({ name, email });
    const response = await fetch(`${base}/signup`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
    });
    assert.equal(response.status, 202);
  }

  /** The page behind a link of the application, on the server of the test. */
  async function visit(url: string): Promise<string> {
    const { pathname, search } = new URL(url);
    return (await fetch(base + pathname + search)).text();
  }

  async function people(): Promise<unknown> {
    return (await fetch(`${base}/people`)).json();
  }

  it('sends a mail whose link confirms the address', async () => {
    await signUp('Ada', 'ada@example.com');
    const mail = await kit.inbox.last({ to: 'ada@example.com', template: 'confirm' });
    assert.equal(mail.subject, 'Confirm your address, Ada');
    assert.match(mail.text ?? '', /Hello Ada, is this your address\?/);
    assert.equal(await visit(await kit.click(mail, 'Confirm')), 'Welcome, Ada');
    assert.deepEqual(await people(), [{ name: 'Ada', confirmed: true }]);
  });

  it('reminds after a day, and only who has not confirmed', async () => {
    await signUp('Grace', 'grace@example.com');
    await signUp('Alan', 'alan@example.com');
    await visit(await kit.click(await kit.inbox.last({ to: 'alan@example.com' }), 'Confirm'));
    await kit.clock.advance(23 * HOUR);
    assert.deepEqual(await kit.inbox.all({ template: 'reminder' }), []);
    await kit.clock.advance(HOUR);
    const reminders = await kit.inbox.all({ template: 'reminder' });
    assert.deepEqual(
      reminders.map(({ to }) => to),
      ['grace@example.com'],
    );
    assert.equal(await visit(await kit.click(reminders[0] ?? assert.fail(), 'Confirm')), 'Welcome, Grace');
  });

  it('forgets an address that does not exist', async () => {
    await signUp('Nobody', 'missing@simulator.example');
    await kit.relay.settled();
    assert.equal(await kit.inbox.find({ to: 'missing@simulator.example' }), undefined);
    assert.ok(!JSON.stringify(await people()).includes('Nobody'));
  });

  it('reaches a server that is busy at first', async () => {
    await signUp('Edsger', 'busy@simulator.example');
    assert.equal(await kit.inbox.find({ to: 'busy@simulator.example' }), undefined);
    await kit.clock.advance(HOUR);
    assert.equal((await kit.inbox.last({ to: 'busy@simulator.example' })).template, 'confirm');
  });
});
