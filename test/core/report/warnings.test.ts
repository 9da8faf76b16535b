import { describe, expect, it, onTestFinished } from 'vitest';
import { createWarnings, isForSender } from '../../../packages/core/src/engine/warnings.ts';
import type { Warning } from '../../../packages/core/src/index.ts';
import { createTestRelay, type TestRelayOptions } from '../../../packages/core/src/testing/index.ts';

const MINUTE = 60_000;
const now = new Date('2026-01-05T12:00:00Z');

async function kit(options: TestRelayOptions = {}) {
  const logged: unknown[] = [];
  const logger = {
    debug() {},
    info() {},
    error() {},
    warn: (fields: unknown, text: string) => void logged.push([text, fields]),
  };
  const made = await createTestRelay({ now, logger, ...options });
  onTestFinished(made.stop);
  const warnings: Warning[] = [];
  made.relay.on('warning', (warning) => void warnings.push(warning));
  const send = async (name: string, count: number): Promise<void> => {
    const to = Array.from({ length: count }, (_, number) => ({ to: `${name}+${number}@simulator.example` }));
    await made.relay.sendMany(to, { campaign: 'spring', subject: 'News', text: 'News' });
    await made.relay.settled();
  };
  return { ...made, warnings, logged, send };
}

describe('warnings', () => {
  it('tell of refusals for the sender to mend, the first at once and the others of the window together', async () => {
    const { relay, clock, warnings, logged, send } = await kit();
    await send('spam', 5);
    await send('blocked', 1);
    await send('missing', 3);
    await send('full', 3);
    expect(warnings).toMatchObject([
      { reason: 'spam-rejected', route: 'capture', site: 'simulator.example', count: 1, firstAt: now, lastAt: now },
      { reason: 'blocked-ip', count: 1 },
    ]);
    expect(warnings[0]?.example).toMatchObject({
      deliveryId: expect.stringMatching(/^dlv_/),
      reply: expect.stringContaining('classified as spam'),
      status: '5.7.1',
      source: 'smtp',
    });
    const { warnings: shown } = await relay.health();
    expect(shown.map(({ reason, count }) => [reason, count]).sort()).toEqual([
      ['blocked-ip', 1],
      ['spam-rejected', 5],
    ]);
    await clock.advance(61 * MINUTE);
    expect(warnings.slice(2)).toMatchObject([{ reason: 'spam-rejected', count: 4 }]);
    await clock.advance(61 * MINUTE);
    expect(warnings).toHaveLength(3);
    await send('spam', 1);
    expect(warnings[3]).toMatchObject({ reason: 'spam-rejected', count: 1 });
    expect(logged).toMatchObject([
      ['mail was refused for a reason of the sender', { reason: 'spam-rejected', count: 1, route: 'capture' }],
      ['mail was refused for a reason of the sender', { reason: 'blocked-ip' }],
      ['mail was refused for a reason of the sender', { reason: 'spam-rejected', count: 4 }],
      ['mail was refused for a reason of the sender', { reason: 'spam-rejected', count: 1 }],
    ]);
    // The log has no addresses.
    expect(JSON.stringify(logged)).not.toContain('@');
  });

  it('tell of what comes back later, with the route of the mail, and not twice of the same', async () => {
    const { relay, warnings } = await kit();
    const { id } = await relay.send({ to: 'ada@example.org', subject: 'Hi', text: 'Hi' });
    const [delivery] = (await relay.when(id, 'sent')).deliveries;
    const report = { type: 'bounced', reply: '550 5.7.1 Message content rejected' } as const;
    await relay.messages.feedback(delivery?.id ?? '', report);
    expect(warnings).toMatchObject([
      {
        reason: 'content-rejected',
        route: 'capture',
        count: 1,
        example: { deliveryId: delivery?.id, source: 'host', reply: report.reply },
      },
    ]);
  });

  it('are told at the end of the relay, and not at all where they are off', async () => {
    const { relay, warnings, send, stop } = await kit();
    await send('spam', 3);
    await stop();
    expect(warnings.map(({ count }) => count)).toEqual([1, 2]);
    expect(relay).toBeDefined();
    const quiet = await kit({ alerts: { warnings: false } });
    await quiet.send('spam', 3);
    expect([...quiet.warnings, ...quiet.logged, ...(await quiet.relay.health()).warnings]).toEqual([]);
  });

  it('know which reasons the sender has to mend', () => {
    for (const reason of [
      'blocked-ip',
      'blocked-sender',
      'auth-failure',
      'policy',
      'content-rejected',
      'spam-rejected',
    ] as const)
      expect(isForSender(reason), reason).toBe(true);
    for (const reason of ['no-such-mailbox', 'mailbox-full', 'greylisted', 'rate-limited', 'timeout'] as const)
      expect(isForSender(reason), reason).toBe(false);
    expect(isForSender('other', 'sender')).toBe(true);
    expect(isForSender('rate-limited', 'sender')).toBe(false);
  });

  it('take bounded room: after 50 sites of a route and reason the others are told of together', () => {
    const told: Warning[] = [];
    let time = 0;
    const warnings = createWarnings({
      clock: { now: () => time, alarm: () => () => {}, every: () => () => {} },
      everyMs: MINUTE,
      host: { warn: (more) => void told.push(...more), log: () => {} },
      alerts: { warn: async () => {} },
      wake: () => {},
    });
    const example = { deliveryId: undefined, reply: 'no', status: undefined, source: 'smtp' };
    for (let number = 0; number < 1000; number++)
      warnings.note({ reason: 'policy', route: 'out', site: `d${number}.example`, example });
    expect(told).toHaveLength(51);
    expect(warnings.recent().find(({ site }) => site === undefined)?.count).toBe(950);
    time += MINUTE;
    warnings.note({ reason: 'policy', route: 'out', site: 'new.example', example });
    // The old ones are over, and there is room again.
    expect(told.slice(51).map(({ site, count }) => [site, count])).toEqual([
      [undefined, 949],
      ['new.example', 1],
    ]);
  });
});
