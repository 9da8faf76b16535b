import { RECEIVERS, type Receiver } from './receivers.ts';

/** A receiver, as far as it is recognised. */
export type Recognised = Pick<Receiver, 'name' | 'mx' | 'domains'>;

/** Recognises receivers. */
export interface KnownReceivers {
  /** The receiver that a mail host belongs to; undefined for a host that is of none. */
  ofHost(host: string): string | undefined;
  /** The receiver that a domain of mailboxes belongs to; undefined where its MX has to be looked up. */
  ofDomain(domain: string): string | undefined;
}

/** @param receivers - those that come first win. */
export function createKnownReceivers(receivers: readonly Recognised[]): KnownReceivers {
  const byHost = new Map<string, string>();
  const byDomain = new Map<string, string>();
  for (const { name, mx, domains } of receivers) {
    for (const end of mx) if (!byHost.has(end)) byHost.set(end, name);
    for (const domain of domains) if (!byDomain.has(domain)) byDomain.set(domain, name);
  }
  return {
    /** The longest end that is known decides: `olc.protection.outlook.com` before what is above it. */
    ofHost(host) {
      for (let rest = host; rest !== ''; rest = rest.includes('.') ? rest.slice(rest.indexOf('.') + 1) : '') {
        const name = byHost.get(rest);
        if (name !== undefined) return name;
      }
      return undefined;
    },
    ofDomain: (domain) => byDomain.get(domain),
  };
}

/**
 * Answers the known receiver of a domain, or of a mail host. For the thread of the host, which does not load the list that
 * tells the names of other sites.
 *
 * @param own - receivers that come before those of the data
 */
export function createReceiverNamer(own: readonly Recognised[]): (name: string) => string | undefined {
  const { ofDomain, ofHost } = createKnownReceivers([...own, ...RECEIVERS]);
  return (name) => ofDomain(name) ?? ofHost(name);
}
