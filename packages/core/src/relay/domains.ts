import { type CheckDomainOptions, checkDomain } from '../domains/check.ts';
import { type CreateKeyOptions, createKey } from '../domains/create-key.ts';
import type { CreatedKey, DomainReport } from '../domains/port.ts';
import type { ResolvedOptions } from '../options.ts';

/** Domains that mail is sent from. */
export interface Domains {
  /**
   * Makes a DKIM key and the record to publish. Nothing is kept: store the private key, publish the record, and name both in
   * the option `dkim`.
   *
   * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`
   * @example
   * const { privateKey, record } = await relay.domains.createKey('acme.example');
   */
  createKey(domain: string, options?: CreateKeyOptions): Promise<CreatedKey>;
  /**
   * Looks at what a domain publishes (SPF, DKIM, DMARC, MX, MTA-STS, return path, PTR), and says record by record what to
   * change.
   *
   * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`. What DNS says or does not say is a finding.
   * @example
   * const { ok, findings } = await relay.domains.check('acme.example', { addresses: ['192.0.2.1'] });
   */
  check(domain: string, options?: CheckDomainOptions): Promise<DomainReport>;
}

/** `relay.domains` */
export function createDomains({ dkim, clock }: Pick<ResolvedOptions, 'dkim' | 'clock'>): Domains {
  return {
    createKey: (domain, options = {}) => createKey(domain, options, clock.now()),
    check: (domain, options = {}) => checkDomain(domain, options, dkim),
  };
}
