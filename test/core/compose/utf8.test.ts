import { describe, expect, it, vi } from 'vitest';
import type { OutgoingMail, RouteSpec } from '../../../packages/core/src/deliver/port.ts';
import { relayWith } from '../../support/relay.ts';

/** Envelopes of the mails that a message becomes. */
async function envelopes(message: object, count: number): Promise<OutgoingMail['envelope'][]> {
  const seen: OutgoingMail['envelope'][] = [];
  const route: RouteSpec = {
    kind: 'custom',
    name: 'custom',
    create: () => ({
      async send({ envelope }) {
        seen.push(envelope);
        const transcript = { route: 'custom', startedAt: Date.now(), ms: 0, steps: [] };
        return { outcome: { type: 'sent', reply: '250 Ok' }, transcript };
      },
      close: async () => {},
    }),
  };
  const relay = relayWith({ routes: [route], thread: false });
  await relay.send({ to: 'ada@example.com', subject: 'S', text: 'x', ...message });
  await vi.waitFor(() => expect(seen).toHaveLength(count));
  return seen;
}

describe('SMTPUTF8', () => {
  it.each(['from', 'to', 'cc', 'replyTo', 'sender'])(
    'is asked for where %s has an address that needs it',
    async (field) => {
      const count = field === 'cc' ? 2 : 1;
      for (const { utf8 } of await envelopes({ [field]: 'jürgen@example.com' }, count)) expect(utf8).toBe(true);
    },
  );

  it('is asked for by a hidden recipient for their own mail alone, and by a return path', async () => {
    const hidden = await envelopes({ bcc: 'jürgen@example.com' }, 2);
    expect(hidden.map(({ to, utf8 }) => [to, utf8]).sort()).toEqual([
      ['ada@example.com', false],
      ['jürgen@example.com', true],
    ]);
    expect(await envelopes({ envelope: { from: 'bücher@example.com' } }, 1)).toMatchObject([{ utf8: true }]);
  });

  it('is not asked for by names, subjects and bodies', async () => {
    const message = { from: 'Jürgen <j@example.com>', subject: 'Où', text: 'été' };
    expect(await envelopes(message, 1)).toMatchObject([{ utf8: false, eightBit: false }]);
  });
});
