/** Mail Relay for NestJS: `MailRelayModule.forRoot()`. */
export type { MailRelayFeatureOptions } from './feature.ts';
export { mailRelayHandler } from './handler.ts';
export {
  MailRelayHealthIndicator,
  type MailRelayHealthOptions,
  type MailRelayHealthResult,
} from './health-indicator.ts';
export { getMailRelayToken, InjectMailRelay } from './inject-mail-relay.ts';
export { MailRelayModule } from './mail-relay.module.ts';
export { MailRelayService } from './mail-relay.service.ts';
export { OnMailEvent, type OnMailEventOptions } from './on-mail-event.ts';
export type { MailRelayModuleExtras, MailRelayModuleOptions, MailRelayOptionsFactory } from './options.ts';
