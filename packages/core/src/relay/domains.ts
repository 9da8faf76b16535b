import type { LocalAddressPools } from '../deliver/mx/port.ts';
import type { RouteSpec } from '../deliver/port.ts';
import { providerOf } from '../deliver/providers/table.ts';
import { type CheckDomainOptions, checkDomain, type SendingRoutes } from '../domains/check.ts';
import { type CreateKeyOptions, createKey } from '../domains/create-key.ts';
import type { CreatedKey, DomainReport } from '../domains/port.ts';
import type { ResolvedOptions } from '../options.ts';
import { createFitting } from '../route/rules.ts';
import { bounceDomainOf } from '../verp.ts';

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
   * change. Addresses of `directMx()`, the providers of the routes and `bounceDomain` are known by themselves.
   *
   * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`. What DNS says or does not say is a finding.
   * @example
   * const { ok, findings } = await relay.domains.check('acme.example', { addresses: ['192.0.2.1'] });
   */
  check(domain: string, options?: CheckDomainOptions): Promise<DomainReport>;
}

/** `relay.domains` */
export function createDomains(options: Pick<ResolvedOptions, 'dkim' | 'clock' | 'routes' | 'bounceDomain'>): Domains {
  const { dkim, clock, routes, bounceDomain } = options;
  const sending = (domain: string): SendingRoutes => {
    const own = routes.filter((route) => takesFrom(route, domain));
    return { ...sendersOf(own), bounceDomain: isReplaced(own) ? undefined : bounceDomainOf(bounceDomain, domain) };
  };
  return {
    createKey: (domain, given = {}) => createKey(domain, given, clock.now()),
    check: (domain, given = {}) => checkDomain(domain, given, dkim, sending),
  };
}

/** Whether an envelope sender of ours never arrives: providers with a preset write their own. */
function isReplaced(routes: readonly RouteSpec[]): boolean {
  return routes.length > 0 && routes.every((route) => providerOf(route) !== undefined);
}

/** Who sends for a domain, out of the routes that may take its mail. */
function sendersOf(own: readonly RouteSpec[]): Omit<SendingRoutes, 'bounceDomain'> {
  const machines = own.flatMap((route) =>
    route.kind === 'mx' ? [{ hostname: route.mx.hostname, addresses: pooled(route.mx.localAddresses ?? []) }] : [],
  );
  const providers = own.flatMap((route) => {
    const { title, spf } = providerOf(route) ?? {};
    return title === undefined || spf === undefined ? [] : [[spf, { title, include: spf }] as const];
  });
  return { machines, providers: [...new Map(providers).values()] };
}

/** Local addresses of all streams. */
function pooled(given: readonly string[] | LocalAddressPools): readonly string[] {
  if (Array.isArray(given)) return given as string[];
  const { transactional = [], broadcast = [] } = given as LocalAddressPools;
  return [...transactional, ...broadcast];
}

function takesFrom({ takes }: RouteSpec, senderDomain: string): boolean {
  const sets = takes === undefined ? [] : [takes].flat();
  const fitting = createFitting(sets.map((set) => ({ senderDomain: set.senderDomain })));
  return fitting?.mail({ stream: '', senderDomain, campaign: undefined, tags: [] }) ?? true;
}
