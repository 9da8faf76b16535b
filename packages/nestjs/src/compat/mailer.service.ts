import type { SendMessage } from '@mailrelay/core';
import { Inject, Injectable } from '@nestjs/common';
import { MailRelayService } from '../mail-relay.service.ts';
import { filled, filledHtml, templateName } from './context.ts';
import type { ISendMailOptions, MailerOptions, SentMessageInfo } from './options.ts';

export const MAILER_OPTIONS: unique symbol = Symbol('Mailer options');

/** `sendMail()` of @nestjs-modules/mailer, over the relay: durable, retried, suppressed and tracked. */
@Injectable()
export class MailerService {
  readonly #relay: MailRelayService;
  readonly #options: MailerOptions;

  constructor(@Inject(MailRelayService) relay: MailRelayService, @Inject(MAILER_OPTIONS) options: MailerOptions) {
    this.#relay = relay;
    this.#options = options;
  }

  /**
   * Answers when the mail is stored; what becomes of it is an event.
   *
   * @throws MailRelayError for everything that is wrong with the mail
   * @example
   * await mailer.sendMail({ to: user.email, subject: 'Welcome', template: './welcome', context: { name: user.name } });
   */
  async sendMail(options: ISendMailOptions): Promise<SentMessageInfo> {
    const message = this.#messageOf(options);
    const { id, messageId, deliveries } = await this.#relay.send(message);
    const those = (suppressed: boolean): string[] =>
      deliveries.filter(({ state }) => (state === 'suppressed') === suppressed).map(({ recipient }) => recipient);
    return {
      id,
      messageId,
      accepted: those(false),
      rejected: those(true),
      pending: [],
      response: `250 stored as ${id}`,
      envelope: { from: addressOf(message.from), to: deliveries.map(({ recipient }) => recipient) },
    };
  }

  /** Whether every transport can be reached and takes its login; no mail is sent. `MailRelayService.routes.verify()` tells more. */
  async verifyAllTransporters(): Promise<boolean> {
    return (await this.#relay.routes.verify()).every(({ ok }) => ok);
  }

  #messageOf({ context, transporterName, template, ...fields }: ISendMailOptions): SendMessage {
    const message = { ...this.#options.defaults, ...fields };
    const { subject, html } = message;
    return {
      ...message,
      ...(transporterName === undefined ? {} : { route: transporterName }),
      ...(subject === undefined ? {} : { subject: filled(subject, context) }),
      // As before, a text or an HTML of the caller's own goes before the template.
      ...(typeof html === 'string' ? { html: filledHtml(html, context) } : {}),
      ...(template === undefined || html !== undefined
        ? {}
        : { template: templateName(template, this.#options), data: context ?? {} }),
    };
  }
}

function addressOf(from: SendMessage['from']): string {
  if (typeof from === 'object') return from.address;
  return /<([^>]+)>\s*$/.exec(from ?? '')?.[1] ?? from ?? '';
}
