import { createSite, type Site, type SiteBounds } from './site.ts';

/** All sites that connections are kept to. */
export interface Sites {
  /**
   * The site with this key; the same one as long as it has mail or is not the oldest of many.
   *
   * @param own - bounds of this site, in place of those that all have
   */
  of(key: string, own?: Partial<SiteBounds>): Site;
  close(): Promise<void>;
}

/** @param most - sites without mail that are kept; beyond, the one that was used longest ago loses its connections. */
export function createSites(bounds: SiteBounds, most: number): Sites {
  const sites = new Map<string, Site>();

  function makeRoom(): void {
    for (const [key, site] of sites) {
      if (sites.size < most) return;
      if (site.mails > 0) continue;
      sites.delete(key);
      void site.close();
    }
  }

  return {
    of(key, own) {
      const site = sites.get(key) ?? createSite({ ...bounds, ...own });
      sites.delete(key);
      if (sites.size >= most) makeRoom();
      sites.set(key, site);
      return site;
    },
    async close() {
      await Promise.all([...sites.values()].map((site) => site.close()));
    },
  };
}
