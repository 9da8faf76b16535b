import { createSite, type Site, type SiteBounds } from './site.ts';

/** Bounds of a receiver, which may have several sets of hosts. */
export interface OwnBounds {
  readonly name: string;
  readonly connectionsPerSite: number;
  readonly maxMessagesPerConnection: number;
}

/** All sites that connections are kept to. */
export interface Sites {
  /**
   * The site with this key; the same one as long as it has mail or is not the oldest of many.
   *
   * @param own - bounds of this site, in place of those that all have
   */
  of(key: string, own?: OwnBounds): Site;
  close(): Promise<void>;
}

/** @param most - sites without mail that are kept; beyond, the one that was used longest ago loses its connections. */
export function createSites(bounds: SiteBounds, most: number): Sites {
  const sites = new Map<string, Site>();
  /** Keys of sites by the name of the receiver. */
  const receivers = new Map<string, Set<string>>();

  function makeRoom(): void {
    for (const [key, site] of sites) {
      if (sites.size < most) return;
      if (site.mails > 0) continue;
      sites.delete(key);
      void site.close();
    }
  }

  /** Connections that are kept to other hosts of a receiver count for it as well: no more are kept than it takes. */
  function closeIdle({ name, connectionsPerSite }: OwnBounds, key: string): void {
    const keys = receivers.get(name) ?? new Set();
    for (const other of keys) {
      const site = sites.get(other);
      if (site === undefined) keys.delete(other);
      else if (keys.size >= connectionsPerSite && site.mails === 0) {
        keys.delete(other);
        sites.delete(other);
        void site.close();
      }
    }
    keys.add(key);
    // Names of receivers that had mail long ago only cost memory.
    if (receivers.size > 2 * most) receivers.clear();
    receivers.set(name, keys);
  }

  return {
    of(key, own) {
      const known = sites.get(key);
      if (known === undefined && own !== undefined) closeIdle(own, key);
      const site = known ?? createSite({ ...bounds, ...own });
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
