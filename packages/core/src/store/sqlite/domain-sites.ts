import { sql } from 'kysely';
import type { Database } from './database.ts';

/** Rows that are looked at in one sweep: a claim never waits long for it. */
const SWEPT = 500;

/** A domain with the site behind it. */
export interface DomainSite {
  readonly domain: string;
  readonly site: string;
  readonly until: number;
}

/** Which sites are behind domains, as the DNS said it of late. */
export interface DomainSites {
  /** Those that are known and have not expired. */
  of(domains: readonly string[], now: number): ReadonlyMap<string, string>;
  /** Inside of `write`. */
  keep(found: readonly DomainSite[]): void;
  /** Forgets what has expired, some rows further with each call. Inside of `write`. */
  sweep(now: number): void;
}

/** Sites of domains in SQLite. */
export function createDomainSites(db: Database): DomainSites {
  const known = db.prepare((query, p: { domains: string; now: number }) =>
    query
      .selectFrom('domain_site')
      .select(['domain', 'site'])
      .where('domain', 'in', sql<string>`(select value from json_each(${p.domains}))`)
      .where('until', '>', p.now),
  );
  const put = db.prepare((query, p: DomainSite) =>
    query
      .insertInto('domain_site')
      .values({ domain: p.domain, site: p.site, until: p.until })
      .onConflict((conflict) =>
        conflict
          .column('domain')
          .doUpdateSet((row) => ({ site: row.ref('excluded.site'), until: row.ref('excluded.until') })),
      ),
  );
  // In the order of the key, so that no index has to be kept up for it.
  const last = db.prepare((query, p: { after: string }) =>
    query
      .selectFrom('domain_site')
      .select('domain')
      .where('domain', '>', p.after)
      .orderBy('domain')
      .offset(SWEPT - 1)
      .limit(1),
  );
  const forget = db.prepare((query, p: { after: string; upTo: string; now: number }) =>
    query
      .deleteFrom('domain_site')
      .where('domain', '>', p.after)
      .where('domain', '<=', p.upTo)
      .where('until', '<=', p.now),
  );
  const forgetRest = db.prepare((query, p: { after: string; now: number }) =>
    query.deleteFrom('domain_site').where('domain', '>', p.after).where('until', '<=', p.now),
  );
  let swept = '';

  return {
    of: (domains, now) =>
      new Map(known.all({ domains: JSON.stringify(domains), now }).map(({ domain, site }) => [domain, site] as const)),
    keep(found) {
      for (const one of found) put.run(one);
    },
    sweep(now) {
      const upTo = last.get({ after: swept })?.domain;
      if (upTo === undefined) forgetRest.run({ after: swept, now });
      else forget.run({ after: swept, upTo, now });
      swept = upTo ?? '';
    },
  };
}
