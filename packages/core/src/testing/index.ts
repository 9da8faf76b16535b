/** What applications test their mail with. */
export type { TestClock } from './clock.ts';
export type { Inbox, MailQuery } from './inbox.ts';
export type { TestAttachment, TestLink, TestMail } from './mail.ts';
export { type MailMatchers, mailMatchers } from './matchers.ts';
export {
  checkProvider,
  type ProviderCase,
  type ProviderCheck,
  type ProviderProblem,
  type SampleHook,
} from './provider.ts';
export type { Reader, ReadOptions } from './reader.ts';
export { createTestRelay, type TestKit, type TestRelay, type TestRelayOptions } from './relay.ts';
