import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  brevo,
  type MailRelay,
  type MessageEvent,
  mailgun,
  ses,
  smtp,
  sqlite,
} from '../../../packages/core/src/index.ts';
import { awayFromMidnight } from '../../support/midnight.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';
import { clockedRelay } from '../../support/scripted.ts';
import { type Inbox, smtpServer } from '../../support/smtp.ts';

const MB = 1 << 20;
const MINUTE = 60_000;

/** A provider's server that can be down: it turns everybody away. */
async function provider(): Promise<Inbox & { readonly state: { down: boolean } }> {
  const state = { down: false };
  const inbox = await smtpServer({
    allowInsecureAuth: true,
    onConnect: (_, done) =>
      done(state.down ? Object.assign(new Error('4.3.2 Not now'), { responseCode: 421 }) : undefined),
    onAuth: (_, __, done) => done(null, { user: 'ada' }),
  });
  return { ...inbox, state };
}

const server = ({ port }: Inbox) => ({ host: '127.0.0.1', port, ignoreTls: true, idleMs: 1 });
const sesAt = (inbox: Inbox) => ses({ region: 'eu-west-3', user: 'AKIA', pass: 'secret', server: server(inbox) });
const brevoAt = (inbox: Inbox) => brevo({ user: 'ada@example.com', key: 'secret', server: server(inbox) });
const mailgunAt = (inbox: Inbox) => mailgun({ user: 'ada@mg.example.com', pass: 'secret', server: server(inbox) });

const mail = { to: 'ada@example.org', subject: 'Hi', text: 'Hello' } as const;
const tags = Array.from({ length: 15 }, (_, n) => `t${n}`);
/** As base64 about 22 MB. */
const large = { ...mail, attachments: [{ filename: 'a.bin', content: Buffer.alloc(16 * MB) }] };

async function deliveryOf(relay: MailRelay, id: string) {
  const record = await relay.messages.get(id);
  return record?.deliveries[0];
}

describe('what a provider does not take', () => {
  beforeEach(awayFromMidnight);

  it('is not moved to it: 15 tags wait for the route that takes them, or take the one behind', async () => {
    const [first, second, third] = [await provider(), await provider(), await smtpServer()];
    first.state.down = true;
    const { relay, clock, waiting } = clockedRelay({ routes: [sesAt(first), mailgunAt(second)] });
    const { id } = await relay.send({ ...mail, tags });
    await relay.send({ ...mail, tags: ['one'] });
    await waiting.settled();
    expect(second.mails).toHaveLength(1);
    expect(await deliveryOf(relay, id)).toMatchObject({ state: 'deferred', route: 'ses' });
    first.state.down = false;
    await clock.advance(30 * MINUTE);
    expect(await deliveryOf(relay, id)).toMatchObject({ state: 'sent', route: 'ses' });
    expect(second.mails).toHaveLength(1);

    first.state.down = true;
    const behind = smtp({ host: '127.0.0.1', port: third.port, ignoreTls: true }, { name: 'behind' });
    const other = clockedRelay({ routes: [sesAt(first), mailgunAt(second), behind] });
    await other.relay.send({ ...mail, tags });
    await other.waiting.settled();
    expect([second.mails.length, third.mails.length]).toEqual([1, 1]);
  });

  it('is not moved to it by a warm-up that is full', async () => {
    const [first, second] = [await provider(), await provider()];
    const from = new Date(Date.now()).toISOString().slice(0, 10);
    const warmUp = { from, days: [1, 1, 1], overflow: 'next-route' } as const;
    const relay = relayWith({ routes: [{ ...sesAt(first), warmUp }, mailgunAt(second)] });
    const events: MessageEvent[] = [];
    relay.on('event', (event) => void events.push(event));
    await relay.send(mail);
    await expect.poll(() => first.mails.length).toBe(1);
    const { id } = await relay.send({ ...mail, tags });
    await relay.send({ ...mail, to: 'bob@example.org' });
    await expect.poll(() => second.mails.map(({ to }) => to)).toEqual(['bob@example.org']);
    await expect.poll(async () => (await deliveryOf(relay, id))?.state).toBe('queued');
    expect(await deliveryOf(relay, id)).toMatchObject({ route: 'ses', attempts: 0 });
  });

  it('as 22 MB, is not moved to it, and comes back where it was moved while its size was not known', async () => {
    const [first, second] = [await provider(), await provider()];
    first.state.down = true;
    const { relay, clock, waiting } = clockedRelay({ routes: [sesAt(first), brevoAt(second)] });
    const tried = await relay.send(large);
    await waiting.settled();
    // SES failed it, and its size was known by then.
    expect(await deliveryOf(relay, tried.id)).toMatchObject({ state: 'deferred', route: 'ses', attempts: 1 });
    for (let n = 0; n < 2; n++) await relay.send(mail);
    await waiting.settled();
    expect((await relay.health()).breakers.ses?.state).toBe('open');
    const { id } = await relay.send(large);
    await waiting.settled();
    expect(await deliveryOf(relay, id)).toMatchObject({ state: 'deferred', route: 'ses' });
    expect(second.mails).toHaveLength(2);
    first.state.down = false;
    await clock.advance(60 * MINUTE);
    for (const one of [tried, { id }])
      expect(await deliveryOf(relay, one.id)).toMatchObject({ state: 'sent', route: 'ses' });
  }, 30_000);

  it('fails at once where it is over the limit of the relay, which no route changes', async () => {
    const [first, second] = [await provider(), await provider()];
    const store = sqlite(join(scratchFolder(), 'mail.db'));
    const routes = [sesAt(first), brevoAt(second)];
    const before = clockedRelay({ store, routes });
    const { id } = await before.relay.send({ ...large, sendAt: new Date(before.clock.now() + MINUTE) });
    await before.relay.stop();
    const { relay, clock } = clockedRelay({ store, routes, limits: { maxMessageBytes: 10 * MB } });
    await relay.start();
    await clock.advance(2 * MINUTE);
    expect(await deliveryOf(relay, id)).toMatchObject({ state: 'failed', route: 'ses' });
    expect([first.mails.length, second.mails.length]).toEqual([0, 0]);
  }, 30_000);
});
