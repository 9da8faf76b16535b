import { describe, expect, it } from 'vitest';
import { directMx, type MailRelay, type MessageEvent, smtp } from '../../../../packages/core/src/index.ts';
import { type FakeDns, fakeDns } from '../../../support/dns.ts';
import { relayWith } from '../../../support/relay.ts';
import { type Inbox, smtpServer } from '../../../support/smtp.ts';
import { mailHost } from './support.ts';

/** Of RFC 5737: no machine has it. */
const FOREIGN = '203.0.113.7';
const ZONE = {
  'one.test': { MX: [[10, 'mx.one.test']] as [number, string][] },
  'mx.one.test': { A: ['127.0.0.2'] },
  // The system says at once that there is no way to it.
  'far.test': { MX: [[10, 'mx.far.test']] as [number, string][] },
  'mx.far.test': { A: ['255.255.255.255'] },
};

interface Setting {
  readonly relay: MailRelay;
  readonly backup: Inbox;
  readonly events: MessageEvent[];
}

async function setting(
  dns: FakeDns,
  port: number,
  localAddresses: readonly string[] | undefined,
  withBackup = true,
): Promise<Setting> {
  const backup = await smtpServer();
  const mx = directMx({
    name: 'mx',
    hostname: 'out.sender.test',
    localAddresses,
    ports: { smtp: port },
    dns: { servers: [dns.server], timeoutMs: 2000, tries: 1 },
    allowPrivateAddresses: true,
  });
  const last = smtp({ host: '127.0.0.1', port: backup.port, ignoreTls: true }, { name: 'backup' });
  const relay = relayWith({ routes: withBackup ? [mx, last] : [mx], thread: false });
  const events: MessageEvent[] = [];
  relay.on('event', (event) => void events.push(event));
  await relay.start();
  return { relay, backup, events };
}

const mail = (to: string | readonly string[]) => ({ to, subject: 'Hello', text: 'Hello' }) as const;
const sent = (events: readonly MessageEvent[]): number => events.filter(({ type }) => type === 'sent').length;
const moves = (events: readonly MessageEvent[]): unknown[] =>
  events.flatMap((event) => ('movedTo' in event && event.movedTo !== undefined ? [event.movedTo] : []));

describe('a machine that cannot send to the mail servers of recipients', () => {
  it('hands its mail to the next route at once, and is seen to do so', async () => {
    const host = await mailHost('127.0.0.2');
    const { relay, backup, events } = await setting(await fakeDns(ZONE), host.port, [FOREIGN]);
    for (let n = 1; n <= 5; n++) {
      await relay.send(mail(`r${n}@one.test`));
      await expect.poll(() => sent(events)).toBe(n);
    }
    expect(backup.mails.map(({ to }) => to)).toEqual([1, 2, 3, 4, 5].map((n) => `r${n}@one.test`));
    // The last two were not tried where three had failed.
    expect(moves(events)).toEqual(['backup', 'backup', 'backup']);
    const { breakers, failing } = await relay.health();
    expect(breakers).toMatchObject({ mx: { state: 'open', failures: 3 }, backup: { state: 'closed' } });
    expect(failing).toMatchObject([{ route: 'mx', reason: 'system' }]);
  });

  it('keeps mail that has no other way, and does not use up its attempts', async () => {
    const host = await mailHost('127.0.0.2');
    const { relay } = await setting(await fakeDns(ZONE), host.port, [FOREIGN], false);
    for (let n = 1; n <= 3; n++) {
      const { id } = await relay.send(mail(`r${n}@one.test`));
      await expect
        .poll(async () => (await relay.messages.get(id))?.deliveries)
        .toMatchObject([{ state: 'deferred', attempts: 1 }]);
    }
    const { id } = await relay.send(mail('late@one.test'));
    await expect
      .poll(async () => (await relay.messages.explain(id)).reasons)
      .toContainEqual(expect.objectContaining({ kind: 'route-down' }));
    expect((await relay.messages.get(id))?.deliveries).toMatchObject([{ state: 'queued', attempts: 0 }]);
  });

  it('moves mail to a receiver that it has no way to, and goes on with all others', async () => {
    const host = await mailHost('127.0.0.2');
    const { relay, backup, events } = await setting(await fakeDns(ZONE), host.port, undefined);
    for (let n = 1; n <= 4; n++) {
      await relay.send(mail(`r${n}@far.test`));
      await expect.poll(() => sent(events)).toBe(n);
    }
    expect(backup.mails).toHaveLength(4);
    await relay.send(mail('ada@one.test'));
    await expect.poll(() => host.taken.map(({ to }) => to)).toEqual(['ada@one.test']);
    const { breakers, failing } = await relay.health();
    expect(breakers).toMatchObject({ mx: { state: 'closed', failures: 0 } });
    expect(failing).toEqual([]);
  });

  it('moves mail to a receiver of the kind of addresses that it has none of', async () => {
    const host = await mailHost('127.0.0.2');
    const { relay, backup, events } = await setting(await fakeDns(ZONE), host.port, ['::1']);
    await relay.send(mail('ada@one.test'));
    await expect.poll(() => backup.mails.map(({ to }) => to)).toEqual(['ada@one.test']);
    expect(moves(events)).toEqual(['backup']);
    expect(host.clients).toEqual([]);
  });

  it('sends from the addresses that it has where it lacks one of them', async () => {
    const host = await mailHost('127.0.0.2');
    const { relay, events } = await setting(await fakeDns(ZONE), host.port, [FOREIGN, '127.0.1.1'], false);
    const to = Array.from({ length: 12 }, (_, n) => `r${n}@one.test`);
    for (const address of to) await relay.send(mail(address));
    await expect.poll(() => sent(events) + events.filter(({ type }) => type === 'deferred').length).toBe(12);
    // No more than those that were on their way as the first of them failed.
    expect(events.filter(({ type }) => type === 'deferred').length).toBeLessThan(12);
    await relay.send(mail('late@one.test'));
    await expect.poll(() => host.taken.map((one) => one.to), { timeout: 10_000 }).toContain('late@one.test');
    expect(new Set(host.taken.map(({ from }) => from))).toEqual(new Set(['127.0.1.1']));
    for (let n = 0; n < 6; n++) await relay.send(mail(`again${n}@one.test`));
    await expect.poll(() => host.taken.filter((one) => one.to.startsWith('again')).length).toBe(6);
  });

  it('says nothing of itself where a receiver is down', async () => {
    const dns = await fakeDns(ZONE);
    const { relay, backup, events } = await setting(dns, 9, undefined);
    for (let n = 1; n <= 4; n++) {
      await relay.send(mail(`r${n}@one.test`));
      await expect.poll(() => events.filter(({ type }) => type === 'deferred').length).toBe(n);
    }
    expect(moves(events)).toEqual([]);
    expect(backup.connections.opened).toBe(0);
    expect((await relay.health()).breakers).toMatchObject({ mx: { state: 'closed', failures: 0 } });
  });
});
