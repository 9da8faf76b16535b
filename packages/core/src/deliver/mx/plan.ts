import { domainOf } from '../../address.ts';
import type { Outcome, OutgoingMail } from '../port.ts';
import { findDestination } from './destination.ts';
import { later } from './refusals.ts';
import type { MxRecord, Resolver } from './resolver.ts';
import type { FilledSettings } from './settings.ts';
import { chooseSource, type Source } from './source-address.ts';
import type { PolicyOf } from './sts/policies.ts';
import { allowsHost } from './sts/policy.ts';

/** Where a mail goes, from where, and how. */
export interface Plan {
  readonly domain: string;
  /** In the order of trying. */
  readonly hosts: readonly MxRecord[];
  /** MTA-STS asks for TLS with a certificate that is trusted. */
  readonly verify: boolean;
  readonly source: Source;
  /** Mails with the same key can share connections. */
  readonly key: string;
}

/** What planning works with. */
export interface PlanContext {
  readonly settings: FilledSettings;
  readonly resolver: Resolver;
  /** Whether this machine does not have a local address. */
  lacks(localAddress: string): boolean;
  /** Undefined where MTA-STS is switched off. */
  readonly policyOf: PolicyOf | undefined;
  random(): number;
}

/** What planning looks at. */
type PlannedMail = Pick<OutgoingMail, 'deliveryId' | 'envelope' | 'stream' | 'site'>;

/** Answers the outcome where the mail cannot go anywhere, or not now. */
export async function planOf(mail: PlannedMail, context: PlanContext): Promise<Plan | Outcome> {
  const { settings, policyOf, lacks } = context;
  const domain = domainOf(mail.envelope.to).toLowerCase();
  const destination = await findDestination(domain, context);
  if (destination.type === 'refused') return destination.outcome;
  const policy = domain.startsWith('[') ? undefined : await policyOf?.(domain);
  const verify = policy?.mode === 'enforce';
  // Without DNSSEC only a policy says that these are its servers. One that cannot be read today may be read tomorrow.
  if (mail.envelope.requireTls && !verify)
    return later(
      'tls',
      `the mail asks for REQUIRETLS, and no MTA-STS policy vouches for the mail servers of ${domain}`,
    );
  const hosts = verify ? destination.hosts.filter(({ name }) => allowsHost(policy, name)) : destination.hosts;
  // The policy may only be behind, so that this is never for good (RFC 8461 section 5).
  if (hosts.length === 0) return later('tls', `the MTA-STS policy of ${domain} names none of its mail servers`);
  const { deliveryId, stream = 'transactional' } = mail;
  const source = chooseSource(settings.localAddresses, { deliveryId, stream, avoided: mail.site?.avoided, lacks });
  const names = hosts.map(({ name }) => name).sort();
  const key = [verify ? 'verified' : 'opportunistic', source.four, source.six, ...names].join(' ');
  return { domain, hosts, verify, source, key };
}
