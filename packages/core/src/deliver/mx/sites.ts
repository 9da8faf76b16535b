import { createSite, type Site, type SiteBounds } from './site.ts';

/** Bounds of a receiver, which may have several sets of hosts. */
export interface OwnBounds {
  /** Of the receiver and the local address. */
  readonly name: string;
  /** At the moment of asking. */
  readonly connectionsPerSite: () => number;
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

  /** Forgets receivers that have no connection any more. */
  function forget(): void {
    for (const [name, keys] of receivers)
      if (![...keys].some((key) => (sites.get(key)?.connections ?? 0) > 0)) receivers.delete(name);
  }

  /** Connections that are kept to other hosts of a receiver count for it as well: the next mail may have to open one. */
  function closeIdle({ name, connectionsPerSite }: OwnBounds, key: string): void {
    const known = receivers.get(name);
    if (known === undefined && receivers.size > 2 * most) forget();
    const keys = known ?? new Set();
    receivers.set(name, keys);
    // What is used last is closed last.
    keys.delete(key);
    let open = (sites.get(key)?.idle ?? 0) > 0 ? 0 : 1;
    open += sites.get(key)?.connections ?? 0;
    for (const other of keys) {
      const count = sites.get(other)?.connections ?? 0;
      open += count;
      if (count === 0) keys.delete(other);
    }
    let excess = open - connectionsPerSite();
    for (const other of keys) {
      if (excess <= 0) break;
      excess -= sites.get(other)?.closeIdle(excess) ?? 0;
    }
    keys.add(key);
  }

  return {
    of(key, own) {
      const known = sites.get(key);
      if (own !== undefined) closeIdle(own, key);
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
