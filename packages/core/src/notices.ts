/** What the log is told about a configuration, so that nobody wonders. */
import { bitsOf, GOOD_RSA_BITS } from './dkim-key.ts';
import type { ResolvedOptions } from './options.ts';

type Noticed = Pick<ResolvedOptions, 'environment' | 'publicUrl' | 'linkBase' | 'routes' | 'dkim' | 'logger'>;

/** When a relay is made: DKIM keys that are short, and links over http, which are no one-click unsubscribe (RFC 8058 section 3.2 asks for https). */
export function noticeOptions({ environment, publicUrl, dkim, logger }: Noticed): void {
  for (const { domain, selector, privateKey } of dkim.keys) {
    const bits = bitsOf(privateKey);
    if (bits < GOOD_RSA_BITS) logger.warn({ domain, selector, bits }, `a DKIM key has less than ${GOOD_RSA_BITS} bits`);
  }
  const { protocol, hostname } = new URL(publicUrl);
  if (environment !== 'production' || protocol === 'https:' || isLoopback(hostname)) return;
  logger.warn({ publicUrl }, 'the public URL is not https: mail programs show no unsubscribe button (RFC 8058)');
}

/** When it starts: in development mail does not leave. */
export function noticeStart({ environment, linkBase, routes, logger }: Noticed): void {
  if (environment !== 'development' || !routes.some(({ kind }) => kind === 'capture')) return;
  logger.info({}, `mail is captured and shown at ${linkBase}/`);
}

/** Whether a host name, without its port, is this machine's. */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[::1\]|::1)$/i.test(hostname);
}
