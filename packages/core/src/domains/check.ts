import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { lookupDomain, type ResolvedDkim, signingDomain } from '../dkim-options.ts';
import { anything, callable, check, group, list, rule, text } from '../rules.ts';
import { checkForeignKey, checkKey } from './dkim.ts';
import { checkDmarc } from './judge-dmarc.ts';
import { checkMx, type Receiving, receivingHosts } from './judge-hosts.ts';
import { checkMtaSts, type FetchPolicy } from './judge-mta-sts.ts';
import { checkPtr, type Machine, type Origin, originsOf } from './judge-ptr.ts';
import { checkReturnPath } from './judge-return-path.ts';
import { checkSpf } from './judge-spf.ts';
import { createLookup, type Lookup, LookupFailure } from './lookup.ts';
import type { DomainFinding, DomainReport, DomainResolver, DomainTopic } from './port.ts';

/** What the options of the relay say of who sends. */
export interface SendingRoutes {
  /** Machines of ours that send by themselves. */
  readonly machines: readonly Machine[];
  /** Providers, and the domain that SPF includes for each. */
  readonly providers: readonly { readonly title: string; readonly include: string }[];
  /** Domain of envelope senders with tokens, where mails have such. */
  readonly bounceDomain: string | undefined;
}

/** What is known beside the domain. */
export interface CheckDomainOptions {
  /** Addresses that mail leaves from, where it leaves from machines of one's own. @default `localAddresses` of the routes with `directMx()`, or where a route has none, the addresses of its `hostname`; without such a route, SPF is read, not compared, and PTR is not looked at */
  readonly addresses?: readonly string[] | undefined;
  /** Domains that SPF has to include, as the provider names them. @default none */
  readonly includes?: readonly string[] | undefined;
  /** Selectors of keys that others sign with for the domain, as a provider does. @default none */
  readonly selectors?: readonly string[] | undefined;
  /** Domain of the envelope sender. @default that of `bounceDomain` for the domain, and without the option the domain itself */
  readonly returnPath?: string | undefined;
  /** Who looks up DNS. @default `Resolver` of node:dns/promises */
  readonly resolver?: DomainResolver | undefined;
  /** Who fetches the MTA-STS policy. @default `fetch` */
  readonly fetch?: FetchPolicy | undefined;
}

const METHODS = ['resolveTxt', 'resolveMx', 'resolve4', 'resolve6', 'reverse'] as const;
const OPTIONS = group<CheckDomainOptions>({
  addresses: list(rule((value) => typeof value === 'string' && isIP(value) > 0, 'must be an IP address')),
  includes: list(text),
  selectors: list(text),
  returnPath: anything,
  resolver: rule(
    (value) => METHODS.every((name) => typeof (value as Partial<DomainResolver> | null)?.[name] === 'function'),
    `needs the methods ${METHODS.join(', ')}`,
  ),
  fetch: callable,
});
/** Time for one look-up, ms, and how often it is tried. */
const DNS = { timeout: 3000, tries: 2 };

/**
 * Looks at what a domain publishes.
 *
 * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`. What DNS does or does not say is a finding.
 */
export async function checkDomain(
  given: string,
  options: CheckDomainOptions,
  dkim: ResolvedDkim,
  routesOf: (domain: string) => SendingRoutes,
): Promise<DomainReport> {
  check(OPTIONS, options, 'check()');
  const domain = lookupDomain(given, 'domain');
  const includes = (options.includes ?? []).map((one, index) => lookupDomain(one, `check().includes[${index}]`));
  const routes = routesOf(domain);
  const { bounceDomain, machines } = routes;
  const returnPath = lookupDomain(options.returnPath ?? bounceDomain ?? domain, 'check().returnPath');
  const { selectors = [] } = options;
  const lookup = createLookup(options.resolver ?? new Resolver(DNS));
  const { origins, lost } = await originsOf(lookup, machines, options.addresses);
  const addresses = origins.map(({ address }) => address);
  const senders = { addresses, includes, providers: routes.providers };
  const isOurs = options.returnPath === undefined && bounceDomain !== undefined;
  const receiving: Receiving = { domain, returnPath, isOurs, machine: receiverOf(machines, origins) };
  const signing = signingDomain(dkim, domain);
  const keys = dkim.keys.filter((key) => key.domain === signing);
  const signers = [...(signing === undefined ? [] : [signing]), ...(selectors.length > 0 ? [domain] : [])];
  const findings = await Promise.all([
    known('spf', returnPath, checkSpf(lookup, returnPath, senders)),
    ...keys.map((key) => known('dkim', `${key.selector}._domainkey.${key.domain}`, checkKey(lookup, key))),
    ...selectors.map((one) => known('dkim', `${one}._domainkey.${domain}`, checkForeignKey(lookup, domain, one))),
    ...(signers.length === 0 ? [unsigned(domain)] : []),
    known('dmarc', `_dmarc.${domain}`, checkDmarc(lookup, domain, { signing: signers, returnPath })),
    known('mx', domain, checkMx(lookup, receiving)),
    known('mta-sts', `_mta-sts.${domain}`, mtaSts(lookup, receiving, options.fetch ?? fetch)),
    known('return-path', returnPath, checkReturnPath(lookup, receiving, senders)),
    ...origins.map((origin) => known('ptr', origin.address, checkPtr(lookup, origin))),
    ...lost,
  ]);
  return { domain, ok: findings.every(({ status }) => status === 'ok' || status === 'advice'), findings };
}

/** The first machine that sends, with the addresses that mail leaves it from. */
function receiverOf(machines: readonly Machine[], origins: readonly Origin[]): Receiving['machine'] {
  const hostname = machines[0]?.hostname.toLowerCase();
  if (hostname === undefined) return undefined;
  const addresses = origins.filter(({ hostnames }) => hostnames.includes(hostname)).map(({ address }) => address);
  return { hostname, addresses };
}

async function mtaSts(lookup: Lookup, receiving: Receiving, fetchPolicy: FetchPolicy): Promise<DomainFinding> {
  return checkMtaSts(lookup, receiving.domain, await receivingHosts(lookup, receiving), fetchPolicy);
}

function unsigned(domain: string): DomainFinding {
  const says =
    'no key signs for the domain: make one with createKey(), which names its record, or name the selectors of the provider that signs';
  return { topic: 'dkim', name: domain, status: 'problem', code: 'dkim-unsigned', found: [], says };
}

/** A question that DNS does not answer says nothing about the domain. */
async function known(topic: DomainTopic, name: string, finding: Promise<DomainFinding>): Promise<DomainFinding> {
  try {
    return await finding;
  } catch (error) {
    if (!(error instanceof LookupFailure)) throw error;
    return { topic, name, status: 'unknown', code: `${topic}-unknown`, found: [], says: error.message };
  }
}
