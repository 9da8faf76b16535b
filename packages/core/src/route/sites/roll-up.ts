import { RECEIVERS, type Receiver } from './receivers.ts';
import { registeredPart } from './tail.ts';

/** Which site is behind a recipient's domain. */
export interface RollUp {
  /**
   * The site of an MX set, the best host first: the name of a known receiver, else the registered part of the best host's
   * name. The host that is tried first is the one whose limits count.
   */
  ofHosts(hosts: readonly string[]): string;
  /** The site that is known by a domain alone; undefined where its MX has to be looked up. */
  ofDomain(domain: string): string | undefined;
}

/** @param receivers - those that come first win. */
export function createRollUp(receivers: readonly Pick<Receiver, 'name' | 'mx' | 'domains'>[]): RollUp {
  const byHost = new Map<string, string>();
  const byDomain = new Map<string, string>();
  for (const { name, mx, domains } of receivers) {
    for (const end of mx) if (!byHost.has(end)) byHost.set(end, name);
    for (const domain of domains) if (!byDomain.has(domain)) byDomain.set(domain, name);
  }

  /** The longest end that is known decides: `olc.protection.outlook.com` before what is above it. */
  function knownBy(host: string): string | undefined {
    for (let rest = host; rest !== ''; rest = rest.includes('.') ? rest.slice(rest.indexOf('.') + 1) : '') {
      const name = byHost.get(rest);
      if (name !== undefined) return name;
    }
    return undefined;
  }

  return {
    ofHosts(hosts) {
      const [best = ''] = hosts;
      // An address stands for itself.
      return knownBy(best) ?? (/^[\d.]+$|:/.test(best) ? best : registeredPart(best));
    },
    ofDomain: (domain) => byDomain.get(domain),
  };
}

/**
 * Answers the site of a domain, or of a mail host.
 *
 * @param own - receivers that come before those of the data
 */
export function createNamer(own: readonly Pick<Receiver, 'name' | 'mx' | 'domains'>[]): (name: string) => string {
  const { ofDomain, ofHosts } = createRollUp([...own, ...RECEIVERS]);
  return (name) => ofDomain(name) ?? ofHosts([name]);
}
