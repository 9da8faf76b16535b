import { MailRelayError } from '@mailrelay/core';

/** @throws MailRelayError `OPTION_UNSUPPORTED`, with what to do instead */
export function unsupported(option: string, instead: string): never {
  throw new MailRelayError('OPTION_UNSUPPORTED', { option, reason: `\`${option}\` is not supported: ${instead}` });
}
