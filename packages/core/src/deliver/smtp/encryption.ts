/** Which settings of a connection contradict each other, or would show a password. */
import { isIPv4, isIPv6 } from 'node:net';
import { refuse } from '../../rules.ts';
import type { SmtpOptions } from '../port.ts';

/** Whether a host is this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || (isIPv4(host) && host.startsWith('127.')) || (isIPv6(host) && host === '::1');
}

/** @throws MailRelayError `OPTIONS_INVALID` */
export function checkEncryption(settings: SmtpOptions, place: string): void {
  const { host, port, secure = false, requireTls, ignoreTls = false, auth } = settings;
  if (ignoreTls && requireTls === true) refuse(`${place}.ignoreTls`, 'contradicts `requireTls`: leave one of them out');
  if (ignoreTls && secure)
    refuse(`${place}.ignoreTls`, 'contradicts `secure`, which is TLS from the first byte: leave one of them out');
  if (ignoreTls && auth !== undefined && requireTls !== false && !isLoopback(host))
    refuse(
      `${place}.ignoreTls`,
      'would send the password in the clear to another machine: leave it out, or add `requireTls: false` where that is meant',
    );
  if (port === 465 && !secure)
    refuse(`${place}.port`, 'is 465, where TLS begins with the first byte: add `secure: true`, or write smtps://');
  if (secure && (port === 587 || port === 25))
    refuse(
      `${place}.port`,
      `is ${port}, which begins in the clear and changes to TLS by STARTTLS: leave \`secure\` out, or write smtp:// with ?requireTls`,
    );
}

/** For logins that belong to a provider: nothing makes them go in the clear, but to this machine. @throws MailRelayError `OPTIONS_INVALID` */
export function checkNeverClear(settings: SmtpOptions, place: string): void {
  const { host, secure = false, requireTls, ignoreTls = false } = settings;
  if (secure || isLoopback(host)) return;
  const option = ignoreTls ? 'ignoreTls' : requireTls === false ? 'requireTls' : undefined;
  if (option !== undefined)
    refuse(
      `${place}.${option}`,
      'could send the credentials of the provider in the clear: leave it out; only servers on localhost do without TLS',
    );
}
