import type { Clock } from '../clock.ts';
import { findDestination } from '../deliver/mx/destination.ts';
import type { Resolver } from '../deliver/mx/resolver.ts';
import { messageOf } from '../errors.ts';
import type { KnownSite } from '../route/choose.ts';
import type { RollUp } from '../route/sites/roll-up.ts';
import { OWN_SITES } from '../shaping-options.ts';
import type { Store } from '../store/port.ts';
import type { HostApi } from '../thread/port.ts';
import { KEPT_MS, NAMES, NOWHERE_MS } from './sites.ts';

/** What is known of the site of a domain. The site is empty where the domain takes no mail. */
export type SiteAnswer =
  | { readonly type: 'known'; readonly site: string }
  /** The DNS did not answer, and is not asked again for a while. */
  | { readonly type: 'trouble'; readonly reply: string };

/** Who hosts the mail of domains, for the rules of routes. */
export interface SiteAnswers {
  /** What is known now; undefined where the DNS has to be asked. */
  of(domain: string): SiteAnswer | undefined;
  /**
   * Asks the DNS where nothing is known. Never rejects.
   *
   * @param patienceMs - from when the question was first asked; undefined is answered where it takes longer, while it goes on,
   * and its answer is kept
   */
  ask(domain: string, patienceMs: number): Promise<SiteAnswer | undefined>;
}

/** That the DNS did not answer is kept for so long, ms: a mail that is about to leave waits for it. */
const TROUBLE_MS = 20_000;
/** What the store knew is asked for again after this time, ms. */
const STORED_MS = 60_000;
/** Questions at once; who asks beyond comes again. */
const QUESTIONS = 500;

interface Kept {
  readonly answer: SiteAnswer;
  readonly until: number;
}

/** An open question, and since when it is. */
interface Question {
  readonly answer: Promise<SiteAnswer>;
  readonly since: number;
}

/** Answers are shared with shaping, over the store. */
export function createSiteAnswers(context: {
  readonly store: Pick<Store, 'sites'>;
  readonly rollUp: RollUp;
  readonly resolver: Resolver;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: HostApi['log'];
}): SiteAnswers {
  const { store, rollUp, resolver, clock, log } = context;
  const memory = new Map<string, Kept>();
  const asking = new Map<string, Question>();

  function remember(domain: string, answer: SiteAnswer, forMs: number): SiteAnswer {
    if (memory.size >= NAMES) memory.clear();
    memory.set(domain, { answer, until: clock.now() + forMs });
    return answer;
  }

  function of(given: string): SiteAnswer | undefined {
    const domain = given.toLowerCase();
    const own = domain.startsWith('[') ? domain.slice(1, -1).replace(/^ipv6:/, '') : rollUp.ofDomain(domain);
    if (own !== undefined) return { type: 'known', site: own };
    const now = clock.now();
    const kept = memory.get(domain);
    if (kept !== undefined && now < kept.until) return kept.answer;
    const stored = store.sites.sitesOf([domain], now).get(domain);
    // What shaping could not resolve may have no mail server, or a name server that was silent: that makes a difference here.
    if (stored === undefined || stored === OWN_SITES.unresolved) return undefined;
    return remember(domain, { type: 'known', site: stored }, STORED_MS);
  }

  /** Not waited for: what cannot be kept, as when the relay has stopped meanwhile, is asked for again. */
  async function keep(domain: string, site: string): Promise<void> {
    const now = clock.now();
    try {
      await store.sites.keepSites([{ domain, site, until: now + KEPT_MS }], now);
    } catch (error) {
      log('debug', { error: messageOf(error) }, 'the site of a domain could not be kept');
    }
  }

  async function lookUp(domain: string): Promise<SiteAnswer> {
    const found = await findDestination(domain, { resolver, settings: { hostname: '' }, random: Math.random });
    if (found.type === 'refused') {
      const { outcome } = found;
      if (outcome.type === 'deferred') return remember(domain, { type: 'trouble', reply: outcome.reply }, TROUBLE_MS);
      return remember(domain, { type: 'known', site: '' }, NOWHERE_MS);
    }
    const site = rollUp.ofHosts(found.hosts);
    void keep(domain, site);
    return remember(domain, { type: 'known', site }, KEPT_MS);
  }

  /** One question for all who ask for a domain; undefined where too many are open. */
  function question(domain: string): Question | undefined {
    const open = asking.get(domain);
    if (open !== undefined || asking.size >= QUESTIONS) return open;
    const answer = lookUp(domain).finally(() => asking.delete(domain));
    const asked = { answer, since: performance.now() };
    asking.set(domain, asked);
    return asked;
  }

  return {
    of,
    async ask(given, patienceMs) {
      const known = of(given);
      const asked = known === undefined ? question(given.toLowerCase()) : undefined;
      if (asked === undefined) return known;
      // A domain costs everybody's patience once, not that of each of its mails.
      const left = patienceMs - (performance.now() - asked.since);
      if (left <= 0) return undefined;
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), left);
      });
      const answer = await Promise.race([asked.answer, patience]);
      clearTimeout(timer);
      return answer;
    },
  };
}

/** The site of a domain where it is known. The DNS is asked for others meanwhile, and nobody waits for it. */
export function knownSite(answers: SiteAnswers): KnownSite {
  return (domain) => {
    const answer = answers.of(domain);
    if (answer === undefined) void answers.ask(domain, 0);
    return answer?.type === 'known' ? answer.site : undefined;
  };
}
