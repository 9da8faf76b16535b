import type { Clock } from '../../../clock.ts';
import { createMemory } from '../memory.ts';
import type { Resolver } from '../resolver.ts';
import type { FetchPolicy } from './fetch-policy.ts';
import { type Policy, policyId } from './policy.ts';

/** Answers the policy that mail for a domain has to follow now; undefined where there is none. */
export type PolicyOf = (domain: string) => Promise<Policy | undefined>;

/** A policy that could not be fetched is not asked for again for this time, ms (RFC 8461 section 3.3: at least 5 minutes). */
const FAILED_MS = 300_000;
/** Domains whose policies are kept; the oldest go first. */
const DOMAINS = 10_000;

interface Kept {
  readonly id: string;
  readonly policy: Policy;
  readonly until: number;
}

/**
 * Policies, kept for their `max_age` (RFC 8461 sections 3 and 5.1). A new id has the policy fetched again; whoever hides the
 * record or the policy does not get rid of one that is kept.
 */
export function createPolicies(context: {
  readonly resolver: Resolver;
  readonly fetch: FetchPolicy;
  readonly clock: Pick<Clock, 'now'>;
}): PolicyOf {
  const { resolver, fetch, clock } = context;
  const kept = new Map<string, Kept>();
  const failed = createMemory(FAILED_MS, clock);
  const fetching = new Map<string, Promise<Policy | undefined>>();

  async function renew(domain: string, id: string): Promise<Policy | undefined> {
    const policy = await fetch(domain);
    if (policy === undefined) {
      failed.remember(`${domain} ${id}`);
      return undefined;
    }
    kept.delete(domain);
    kept.set(domain, { id, policy, until: clock.now() + policy.maxAgeMs });
    const [oldest] = kept.keys();
    if (kept.size > DOMAINS && oldest !== undefined) kept.delete(oldest);
    return policy;
  }

  /** Many mails for a domain ask once. */
  function renewOnce(domain: string, id: string): Promise<Policy | undefined> {
    const key = `${domain} ${id}`;
    const running = fetching.get(key) ?? renew(domain, id).finally(() => fetching.delete(key));
    fetching.set(key, running);
    return running;
  }

  return async (domain) => {
    const answer = await resolver.txt(`_mta-sts.${domain}`);
    const id = answer.type === 'found' ? policyId(answer.records) : undefined;
    const known = kept.get(domain);
    const valid = known !== undefined && clock.now() < known.until ? known : undefined;
    if (id === undefined || id === valid?.id || failed.until(`${domain} ${id}`) !== undefined) return valid?.policy;
    return (await renewOnce(domain, id)) ?? valid?.policy;
  };
}
