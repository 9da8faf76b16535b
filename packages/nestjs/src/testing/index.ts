/** What Nest applications test their mail with. */
export { MailRelayInbox, mailRelayKit } from './inbox.ts';
export { MailRelayTestModule, type MailRelayTestOptions } from './mail-relay-test.module.ts';
