import { isIPv4 } from 'node:net';
import type { Lookup } from './lookup.ts';
import type { DnsRecord, DomainFinding, DomainTopic } from './port.ts';

/** What is known of who takes mail for a domain. */
export interface Receiving {
  /** Domain of From. */
  readonly domain: string;
  /** Domain of the envelope sender. */
  readonly returnPath: string;
  /** The relay itself writes that envelope sender, and takes the bounces. */
  readonly isOurs: boolean;
  /** A machine that sends by itself: its name, in lower case, and the addresses that are known of it. */
  readonly machine: { readonly hostname: string; readonly addresses: readonly string[] } | undefined;
}

/** Where mail to a name should go. */
export interface Lead {
  readonly topic: DomainTopic;
  /** What kind of mail. */
  readonly what: string;
  /** Who can take it, in a sentence. */
  readonly wanted: string;
  /** The host to name in an MX. */
  readonly host: string | undefined;
  /** The host is better than an address of the name itself. */
  readonly isBetter: boolean;
  readonly machine: Receiving['machine'];
}

/** Preference of the MX that is proposed. */
const PREFERENCE = 10;

/** Whether answers to the domain can arrive (RFC 5321 section 5.1, RFC 7505). */
export async function checkMx(lookup: Lookup, receiving: Receiving): Promise<DomainFinding> {
  const host = await answersTo(lookup, receiving);
  const wanted =
    host === undefined
      ? 'Publish an MX record that names the server with its mailboxes'
      : `${host} takes bounces or sends: where another server has the mailboxes, name that one`;
  const { domain, machine } = receiving;
  return mailHosts(lookup, domain, { topic: 'mx', what: 'answers', wanted, host, isBetter: false, machine });
}

/** A host that may take answers where the domain has no MX: the machine that sends, or else the one that takes its bounces. */
async function answersTo(lookup: Lookup, receiving: Receiving): Promise<string | undefined> {
  const { domain, returnPath, isOurs, machine } = receiving;
  if (machine !== undefined) return machine.hostname;
  return isOurs && returnPath !== domain ? firstHost(lookup, returnPath) : undefined;
}

/** The host of the first MX of a name. */
export async function firstHost(lookup: Lookup, name: string): Promise<string | undefined> {
  return (await hostsOf(lookup, name))[0];
}

async function hostsOf(lookup: Lookup, name: string): Promise<string[]> {
  return (await lookup.mx(name)).map(({ exchange }) => exchange).filter((exchange) => exchange !== '');
}

/** Hosts that take mail for a domain. */
export interface Hosts {
  readonly names: readonly string[];
  /** They do not yet: it is what the MX that is proposed leads to. */
  readonly arePlanned: boolean;
}

/** The hosts of a domain. */
export async function receivingHosts(lookup: Lookup, receiving: Receiving): Promise<Hosts> {
  const { domain } = receiving;
  const names = await hostsOf(lookup, domain);
  if (names.length > 0) return { names, arePlanned: false };
  if ((await lookup.mx(domain)).length === 0 && (await lookup.addresses(domain)).length > 0)
    return { names: [domain], arePlanned: false };
  const host = await answersTo(lookup, receiving);
  return { names: host === undefined ? [] : [host], arePlanned: true };
}

/** Whether mail to a name has somewhere to go. */
export async function mailHosts(lookup: Lookup, name: string, lead: Lead): Promise<DomainFinding> {
  const { topic, what, wanted, host, isBetter } = lead;
  const records = await lookup.mx(name);
  const found = records.map(({ exchange, priority }) => `${priority} ${exchange === '' ? '.' : exchange}`);
  const finding = (
    status: DomainFinding['status'],
    end: string,
    says: string,
    publish?: DnsRecord | undefined,
  ): DomainFinding => ({
    topic,
    name,
    status,
    code: `${topic}-${end}`,
    found,
    says,
    ...(publish === undefined ? {} : { publish }),
  });
  const mx = (to: string | undefined): DnsRecord | undefined =>
    to === undefined ? undefined : { type: 'MX', name, value: `${PREFERENCE} ${to}` };
  if (records.some(({ exchange }) => exchange === ''))
    return finding(
      'problem',
      'null',
      `a null MX says that it takes no mail: ${what} cannot arrive, and receivers refuse such senders. ${wanted}`,
      mx(host),
    );
  if (records.length === 0) {
    const addresses = await lookup.addresses(name);
    if (addresses.length === 0) {
      const says = `it has neither an MX record nor an address: ${what} cannot arrive. ${wanted}`;
      return finding('problem', 'missing', says, mx(host));
    }
    const says = `it has no MX record: ${what} go to its address ${addresses[0]}`;
    return isBetter
      ? finding('advice', 'implicit', `${says}. ${wanted}`, mx(host ?? name))
      : finding('advice', 'implicit', `${says}, and an MX record says that they should`, mx(name));
  }
  const dead: string[] = [];
  for (const { exchange } of records) if ((await lookup.addresses(exchange)).length === 0) dead.push(exchange);
  if (dead.length === 0) return finding('ok', 'ok', `${what} go to ${records[0]?.exchange}`);
  const address = `Publish an A or AAAA record of ${dead.join(', ')}`;
  if (dead.length < records.length)
    return finding('advice', 'dead', `${dead.join(', ')} has no address. ${address}, or take its MX record out`);
  const says = 'no host of its MX records has an address';
  const own = addressRecord(dead, lead.machine);
  if (own !== undefined) return finding('problem', 'dead', says, own);
  const instead = host === undefined || dead.includes(host) ? undefined : mx(host);
  return finding('problem', 'dead', `${says}. ${address}. ${wanted}`, instead);
}

/** The address of our own machine. */
function addressRecord(dead: readonly string[], machine: Receiving['machine']): DnsRecord | undefined {
  const [value] = machine?.addresses ?? [];
  if (machine === undefined || value === undefined || !dead.includes(machine.hostname)) return undefined;
  return { type: isIPv4(value) ? 'A' : 'AAAA', name: machine.hostname, value };
}
