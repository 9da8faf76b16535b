/** Options of shaping, checked. */
import { parseDomain } from './address.ts';
import type { ReasonClass } from './events.ts';
import { isRate } from './rate.ts';
import {
  check,
  either,
  flag,
  group,
  list,
  milliseconds,
  oneOf,
  type Rule,
  type Rules,
  record,
  refuse,
  rule,
  text,
  whole,
} from './rules.ts';

/** What one receiver takes; what is left open is not limited here. */
export interface SiteLimits {
  /**
   * Connections at once, at least 1: with `directMx()` from each local address. On other routes mails on their way at once.
   * @default that of the data for known receivers, else `connectionsPerSite` of the route
   */
  readonly connections?: number | undefined;
  /**
   * Mails before a connection is replaced, at least 1. Of `directMx()` alone.
   * @default that of the data for known receivers, else `maxMessagesPerConnection` of the route
   */
  readonly messagesPerConnection?: number | undefined;
  /**
   * Limit over a true sliding window, of each route: `'20/s'`, `'5000/h'`; a list of several windows, which all hold.
   * @default that of the data for known receivers, else none
   */
  readonly rate?: string | readonly string[] | undefined;
}

/** A receiver, by its name. */
export interface SiteOptions extends SiteLimits {
  /** Ends of the names of its MX hosts, such as `google.com`. Needed for a receiver that the data does not have, where `domains` is not given. */
  readonly mx?: readonly string[] | undefined;
  /** Domains of its mailboxes, whose MX is not looked up. */
  readonly domains?: readonly string[] | undefined;
}

/** What is to happen where a receiver says something. */
export interface ShapingRule {
  /** Shown by `explain()` and `lanes.list()`. */
  readonly name: string;
  /** Sites that it is for. @default all */
  readonly site?: string | readonly string[] | undefined;
  /** What the reply has to say. @default anything */
  readonly reply?: RegExp | undefined;
  /** What the reply has to mean; one of several. @default anything */
  readonly reason?: ReasonClass | readonly ReasonClass[] | undefined;
  /** So many such replies of a site make it act. @default 1 */
  readonly times?: number | undefined;
  /** In which time they have to come, ms. @default 300000 (5 minutes) */
  readonly withinMs?: number | undefined;
  /**
   * `slow`: the limits of the site are multiplied by `factor`; `suspend`: nothing goes there; `move`: its mail leaves from
   * another local address of `directMx()`, and where there is none the site is suspended.
   */
  readonly action: 'slow' | 'suspend' | 'move';
  /** Share of the limits that `slow` leaves, from 0.01 to below 1. @default 0.5 */
  readonly factor?: number | undefined;
  /** For how long, ms. */
  readonly forMs: number;
  /** From then on the limits double after each such time, ms, until they are whole. @default a quarter of `forMs` */
  readonly recoverStepMs?: number | undefined;
}

/** How routes are held to what receivers take. */
export interface ShapingOptions {
  /** Receivers by name: other limits for those of the data (`google`, `outlook`, `yahoo` …), or new ones. */
  readonly sites?: Readonly<Record<string, SiteOptions>> | undefined;
  /** Limits of single recipient domains, which then are sites of their own, whatever their MX. */
  readonly domains?: Readonly<Record<string, SiteLimits>> | undefined;
  /** What is to happen where a receiver says something; they come before those of the data. @default none of your own */
  readonly rules?: readonly ShapingRule[] | undefined;
  /** Whether the rules of the data act. @default true */
  readonly defaultRules?: boolean | undefined;
}

/** With nothing left open; can cross into a thread. */
export interface ResolvedShaping {
  readonly sites: Readonly<Record<string, SiteOptions>>;
  /** By domain in lower-case ASCII. */
  readonly domains: Readonly<Record<string, SiteLimits>>;
  readonly rules: readonly ShapingRule[];
  readonly defaultRules: boolean;
}

const rate = rule((value) => isRate(value), 'must read like 200/s, 3000/min, 100/h or 50000/day');
const rates = either(
  Array.isArray,
  (value, place) =>
    (value as unknown[]).length === 0
      ? { place, says: 'must not be an empty list', unknown: false }
      : list(rate)(value, place),
  rate,
);
const LIMITS: Rules<SiteLimits> = { connections: whole(1), messagesPerConnection: whole(1), rate: rates };
const domain = rule(
  (value) => typeof value === 'string' && parseDomain(value) !== undefined,
  'must be a domain such as example.com',
);
const texts = either(Array.isArray, list(text), text);

/** Rule of {@link ShapingOptions}. */
export const SHAPING: Rule = group<ShapingOptions>({
  sites: record(group<SiteOptions>({ ...LIMITS, mx: list(domain), domains: list(domain) })),
  domains: record(group<SiteLimits>(LIMITS)),
  rules: list(
    group<ShapingRule>(
      {
        name: text,
        site: texts,
        reply: rule((value) => value instanceof RegExp, 'must be a regular expression'),
        reason: texts,
        times: whole(1, 1000),
        withinMs: milliseconds,
        action: oneOf(['slow', 'suspend', 'move']),
        factor: rule(
          (value) => typeof value === 'number' && value >= 0.01 && value < 1,
          'must be from 0.01 to below 1',
        ),
        forMs: milliseconds,
        recoverStepMs: milliseconds,
      },
      { needed: ['name', 'action', 'forMs'] },
    ),
  ),
  defaultRules: flag,
});

/** Names of sites that are made here and cannot be given. */
export const OWN_SITES = { unresolved: 'unresolved', other: 'other' } as const;

/**
 * @param known - names of the receivers of the data
 * @throws MailRelayError `OPTIONS_INVALID`
 */
export function resolveShaping(options: ShapingOptions = {}): ResolvedShaping {
  const { sites = {}, domains = {}, rules = [], defaultRules = true } = options;
  for (const name of Object.keys(sites)) {
    if (!/^[a-z0-9][a-z0-9.-]{0,99}$/.test(name))
      refuse(`shaping.sites.${name}`, 'must be named in lower-case letters, digits, dots and hyphens');
    if (Object.values(OWN_SITES).some((own) => own === name))
      refuse(`shaping.sites.${name}`, 'is a name that the relay uses itself');
  }
  const plain: Record<string, SiteLimits> = {};
  for (const [name, limits] of Object.entries(domains)) {
    check(domain, name, `shaping.domains.${name}`);
    plain[parseDomain(name) as string] = limits;
  }
  for (const [index, { action, factor, reply, reason }] of rules.entries()) {
    if (factor !== undefined && action !== 'slow')
      refuse(`shaping.rules[${index}].factor`, 'is of the action slow alone');
    if (reply === undefined && reason === undefined)
      refuse(`shaping.rules[${index}]`, 'needs `reply`, `reason` or both');
    if (reply?.global === true || reply?.sticky === true)
      refuse(`shaping.rules[${index}].reply`, 'must not have the flags g and y');
  }
  return { sites, domains: plain, rules, defaultRules };
}
