import { expect, vi } from 'vitest';
import { type MailRelay, type MailRelayOptions, smtp } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';
import { type Inbox, smtpServer } from '../../support/smtp.ts';

/** A relay that sends to a server of its own. */
export interface Setting {
  readonly relay: MailRelay;
  readonly server: Inbox;
  send(to: string, over?: object): Promise<{ readonly id: string; readonly source: string; readonly from: string }>;
  state(id: string): Promise<string | undefined>;
}

/** Sends over SMTP, and tells the envelope sender that the server was told. */
export async function setting(options: MailRelayOptions = {}): Promise<Setting> {
  const senders = new Map<string, string>();
  const server = await smtpServer({
    onRcptTo({ address }, session, done) {
      const { mailFrom } = session.envelope;
      senders.set(address, mailFrom === false ? '' : mailFrom.address);
      done();
    },
  });
  const relay = relayWith({ routes: [smtp(`smtp://127.0.0.1:${server.port}`)], thread: false, ...options });
  const state = async (id: string) => (await relay.messages.get(id))?.deliveries[0]?.state;
  return {
    relay,
    server,
    state,
    async send(to, over = {}) {
      const { deliveries } = await relay.send({ to, subject: 'Hello', text: 'Hello', ...over });
      const id = deliveries[0]?.id ?? '';
      await vi.waitFor(async () => expect(await state(id)).toBe('sent'));
      const mail = server.mails.find((one) => one.to === to);
      return { id, source: mail?.source ?? '', from: senders.get(to) ?? '' };
    },
  };
}
