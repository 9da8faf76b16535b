import { describe, expect, it } from 'vitest';
import { kitWith, MINUTE, SECOND, statesOf } from '../testing/support.ts';

const mailTo = (mailbox: string) => ({ to: `${mailbox}@simulator.example`, subject: 's', text: 't' });

describe('a simulated mailbox', () => {
  it.each([
    ['missing', 'bounced', 'no-such-mailbox', '5.1.1', true],
    ['MISSING+1', 'bounced', 'no-such-mailbox', '5.1.1', true],
    ['inactive', 'bounced', 'inactive', '5.2.1', false],
    ['full', 'bounced', 'mailbox-full', '5.2.2', false],
    ['large', 'bounced', 'message-too-big', '5.3.4', false],
    ['spam', 'bounced', 'spam-rejected', '5.7.1', false],
    ['blocked', 'bounced', 'blocked-ip', '5.7.1', false],
    ['busy', 'deferred', 'system', '4.3.2', false],
    ['greylisted', 'deferred', 'greylisted', '4.7.1', false],
    ['down', 'deferred', 'system', '4.3.2', false],
  ] as const)('%s is %s as %s', async (mailbox, state, reason, status, suppressed) => {
    const { relay, inbox } = await kitWith();
    const { id } = await relay.send(mailTo(mailbox));
    const { events } = await relay.when(id, state);
    expect(events.at(-1)).toMatchObject({ type: state, reason, status });
    expect(await relay.suppressions.has(mailTo(mailbox).to)).toBe(suppressed);
    expect(await inbox.all()).toEqual([]);
  });

  it.each(['busy', 'greylisted'])('%s takes the second attempt', async (mailbox) => {
    const { relay, inbox, clock } = await kitWith();
    await relay.send(mailTo(mailbox));
    await clock.advance(10 * MINUTE);
    expect(await inbox.all()).toHaveLength(1);
  });

  it('with +async takes the mail, and bounces seconds later', async () => {
    const kit = await kitWith();
    const { relay, inbox, clock } = kit;
    const { id } = await relay.send(mailTo('missing+async'));
    await relay.when(id, 'sent');
    expect(await inbox.all()).toHaveLength(1);
    await clock.advance(4 * SECOND);
    expect(Object.values(await statesOf(kit, id))).toEqual(['sent']);
    await clock.advance(SECOND);
    expect(Object.values(await statesOf(kit, id))).toEqual(['bounced']);
    expect(await relay.suppressions.has('missing+async@simulator.example')).toBe(true);
  });

  it('complaint takes the mail, and complains seconds later', async () => {
    const { relay, clock } = await kitWith();
    const { id } = await relay.send(mailTo('complaint'));
    await clock.advance(5 * SECOND);
    await relay.when(id, 'complained');
    expect((await relay.suppressions.list()).items).toMatchObject([{ reason: 'complained' }]);
  });

  it('with another name, or of another domain, takes all mail', async () => {
    const { relay, inbox } = await kitWith();
    await relay.send(mailTo('ada'));
    await relay.send({ ...mailTo('x'), to: 'missing@example.com' });
    await relay.send(mailTo('constructor'));
    expect(await inbox.all()).toHaveLength(3);
  });
});
