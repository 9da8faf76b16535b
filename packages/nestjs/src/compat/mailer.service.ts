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
    // The transport takes all the forms of fields that nodemailer takes, and answers what its callers expect.
    return new Promise((resolve, reject) =>
      this.#relay.transport().send({ data: message }, (error, info) => {
        if (info === undefined) reject(error);
        else resolve(info);
      }),
    );
  }

  /** Whether every transport can be reached and takes its login; no mail is sent. `MailRelayService.routes.verify()` tells more. */
  async verifyAllTransporters(): Promise<boolean> {
    return (await this.#relay.routes.verify()).every(({ ok }) => ok);
  }

  #messageOf({ context: given, transporterName, template, ...fields }: ISendMailOptions): object {
    const context = given ?? undefined;
    const message = { ...this.#options.defaults, ...fields };
    const { subject, html } = message;
    return {
      ...message,
      ...(transporterName === undefined ? {} : { route: transporterName }),
      ...(typeof subject !== 'string' ? {} : { subject: filled(subject, context) }),
      // As before, a text or an HTML of the caller's own goes before the template.
      ...(typeof html === 'string' ? { html: filledHtml(html, context) } : {}),
      ...(!template || html ? {} : { template: templateName(template, this.#options), data: context ?? {} }),
    };
  }
}
