/** A transport plugin for nodemailer: what takes a nodemailer transporter sends through the relay. */
import { type AddressInput, type Mailbox, parseMailboxes } from '../address.ts';
import { MailRelayError } from '../errors.ts';
import type { Accepted, AcceptedDelivery } from '../message.ts';
import { callable, check as checkValue } from '../rules.ts';
import { VERSION } from '../version.ts';
import type { SendMessage } from './input.ts';
import { toSendMessage } from './nodemailer-fields.ts';

/** What nodemailer hands to a transport, as far as it is looked at. */
export interface NodemailerMail {
  /** What was given to `sendMail()`, with the defaults of the transporter. */
  readonly data: object;
}

/** What `sendMail()` answers. */
export interface SentInfo {
  readonly envelope: { from: string; to: string[] };
  /** RFC 5322 Message-ID, with angle brackets. */
  readonly messageId: string;
  /** Recipients whose mail is in the queue. */
  readonly accepted: string[];
  /** Recipients on the suppression list. */
  readonly rejected: string[];
  /** Always empty: nothing is left open. */
  readonly pending: string[];
  /** The relay's own reply, in the form of a server's, with the id of the message. */
  readonly response: string;
  /** Id of the message in the relay. */
  readonly id: string;
  readonly deliveries: readonly AcceptedDelivery[];
  /** An earlier message with the same `idempotencyKey` was answered again. */
  readonly repeated: boolean;
  readonly [key: string]: unknown;
}

/** A transport plugin for `nodemailer.createTransport()`. */
export interface NodemailerTransport {
  readonly name: string;
  readonly version: string;
  /** Answers when the message is durable; what the relay does not support is an error that says what to do instead. */
  send(mail: NodemailerMail, callback: (error: Error | null, info?: SentInfo) => void): void;
  /** Starts the relay where it is not running, and answers `true` when its store does. */
  verify(): Promise<true>;
  verify(callback: (error: Error | null, success?: true) => void): void;
  /** A queue always takes more. */
  isIdle(): true;
  /** Does nothing: the relay belongs to the application, and others use it, too. */
  close(): void;
}

/** What the transport works with. */
export interface NodemailerContext {
  readonly from: Mailbox | undefined;
  send(message: SendMessage): Promise<Accepted>;
  /** Resolves where the relay is well. */
  check(): Promise<unknown>;
}

/** Makes the plugin. */
export function createNodemailerTransport(context: NodemailerContext): NodemailerTransport {
  async function send(mail: NodemailerMail): Promise<SentInfo> {
    if (hasStreamPlugins(mail))
      throw new MailRelayError('OPTION_UNSUPPORTED', {
        reason: 'plugins of the step `stream` change what nodemailer has composed; the relay composes: use `compile`',
      });
    const message = await toSendMessage(mail.data);
    return infoOf(await context.send(message), senderOf(message));
  }

  function senderOf({ envelope, from }: SendMessage): string {
    const given: AddressInput | undefined = envelope?.from ?? from;
    return (given === undefined ? context.from : parseMailboxes(given, 'from')[0])?.address ?? '';
  }

  async function check(): Promise<true> {
    await context.check();
    return true;
  }

  function verify(): Promise<true>;
  function verify(callback: (error: Error | null, success?: true) => void): void;
  function verify(callback?: (error: Error | null, success?: true) => void): Promise<true> | undefined {
    if (callback === undefined) return check();
    checkValue(callable, callback, 'callback');
    check().then(
      () => callback(null, true),
      (error: Error) => callback(error),
    );
    return undefined;
  }

  return {
    name: 'mail-relay',
    version: VERSION,
    send(mail, callback) {
      send(mail).then(
        (info) => callback(null, info),
        (error: Error) => callback(error),
      );
    },
    verify,
    isIdle: () => true,
    close: () => {},
  };
}

function infoOf({ id, messageId, deliveries, repeated }: Accepted, from: string): SentInfo {
  const recipients = (suppressed: boolean): string[] =>
    deliveries.filter(({ state }) => (state === 'suppressed') === suppressed).map(({ recipient }) => recipient);
  const accepted = recipients(false);
  return {
    envelope: { from, to: deliveries.map(({ recipient }) => recipient) },
    messageId,
    accepted,
    rejected: recipients(true),
    pending: [],
    response: `250 2.0.0 Ok: ${accepted.length === 0 ? 'recorded' : 'queued'} as ${id}`,
    id,
    deliveries,
    repeated,
  };
}

/** nodemailer says nowhere else that a plugin waits for the composed mail. */
function hasStreamPlugins(mail: NodemailerMail): boolean {
  const { mailer } = mail as { readonly mailer?: { readonly _userPlugins?: { readonly stream?: readonly unknown[] } } };
  return (mailer?._userPlugins?.stream?.length ?? 0) > 0;
}
