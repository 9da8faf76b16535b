/** `MailerModule` and `MailerService` of @nestjs-modules/mailer, over the relay: change the import, keep the calls. */
export { HandlebarsAdapter, MjmlAdapter } from './adapters.ts';
export { MailerModule } from './mailer.module.ts';
export { MailerService } from './mailer.service.ts';
export type {
  ISendMailOptions,
  MailerAsyncOptions,
  MailerOptions,
  MailerOptionsFactory,
  SentMessageInfo,
  TransportOptions,
} from './options.ts';
