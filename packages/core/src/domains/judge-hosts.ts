import { textRecord } from './create-key.ts';
import type { Lookup } from './lookup.ts';
import type { DomainFinding, DomainTopic } from './port.ts';

type Status = DomainFinding['status'];

/** Whether answers to the domain can arrive (RFC 5321 section 5.1, RFC 7505). */
export async function checkMx(lookup: Lookup, domain: string): Promise<DomainFinding> {
  return mailHosts(lookup, domain, 'mx', 'answers');
}

/** Whether mail to a name has somewhere to go. */
export async function mailHosts(
  lookup: Lookup,
  name: string,
  topic: DomainTopic,
  what: string,
): Promise<DomainFinding> {
  const records = await lookup.mx(name);
  const found = records.map(({ exchange, priority }) => `${priority} ${exchange === '' ? '.' : exchange}`);
  const finding = (status: Status, end: string, says: string): DomainFinding => ({
    topic,
    name,
    status,
    code: `${topic}-${end}`,
    found,
    says,
  });
  if (records.some(({ exchange }) => exchange === ''))
    return finding(
      'problem',
      'null',
      `a null MX says that it takes no mail: ${what} cannot arrive, and receivers refuse such senders`,
    );
  if (records.length === 0) {
    const addresses = await lookup.addresses(name);
    return addresses.length > 0
      ? finding('advice', 'implicit', `it has no MX record: ${what} go to its address ${addresses[0]}`)
      : finding('problem', 'missing', `it has neither an MX record nor an address: ${what} cannot arrive`);
  }
  const dead: string[] = [];
  for (const { exchange } of records) if ((await lookup.addresses(exchange)).length === 0) dead.push(exchange);
  if (dead.length === records.length) return finding('problem', 'dead', `no host of its MX records has an address`);
  if (dead.length > 0) return finding('advice', 'dead', `${dead.join(', ')} has no address`);
  return finding('ok', 'ok', `${what} go to ${records[0]?.exchange}`);
}

/** How policies are fetched: `fetch` of the web, or something like it. */
export type FetchPolicy = (url: string, options: RequestInit) => Promise<Response>;

const FETCH_MS = 10_000;
/** Longest policy, bytes (RFC 8461 section 3.2 suggests 64 KB). */
const MOST_BYTES = 65_536;

/** MTA-STS of a domain (RFC 8461), by which others send to it encrypted. */
export async function checkMtaSts(lookup: Lookup, domain: string, fetchPolicy: FetchPolicy): Promise<DomainFinding> {
  const name = `_mta-sts.${domain}`;
  const found = (await lookup.text(name)).filter((record) => /^v=STSv1\s*;/.test(record));
  const finding = (status: Status, code: string, says: string): DomainFinding => ({
    topic: 'mta-sts',
    name,
    status,
    code,
    found,
    says,
  });
  if (found.length === 0) {
    const says =
      'not published; with it, mail to the domain always travels encrypted. Serve the policy before the record';
    return { ...finding('advice', 'mta-sts-missing', says), publish: textRecord(name, 'v=STSv1; id=1') };
  }
  if (found.length > 1)
    return finding('problem', 'mta-sts-several', 'there are several records: senders ignore all of them');
  if (!/;\s*id=[a-z0-9]{1,32}\s*(?:;|$)/i.test(found[0] ?? ''))
    return finding('problem', 'mta-sts-invalid', 'its id= is missing, or has not 1 to 32 letters and digits');
  const policy = await policyOf(domain, fetchPolicy);
  if (typeof policy === 'string') return finding('problem', 'mta-sts-policy', policy);
  const hosts = (await lookup.mx(domain)).map(({ exchange }) => exchange);
  const others = hosts.filter((host) => !policy.mx.some((pattern) => matches(pattern, host)));
  if (policy.mode !== 'none' && others.length > 0)
    return finding('problem', 'mta-sts-mx', `the policy does not name ${others.join(', ')}: no mail is sent there`);
  return policy.mode === 'enforce'
    ? finding('ok', 'mta-sts-ok', 'mail to the domain always travels encrypted')
    : finding('advice', 'mta-sts-mode', `its mode is ${policy.mode}: enforce makes it count`);
}

async function policyOf(domain: string, fetchPolicy: FetchPolicy): Promise<{ mode: string; mx: string[] } | string> {
  const url = `https://mta-sts.${domain}/.well-known/mta-sts.txt`;
  try {
    const response = await fetchPolicy(url, { redirect: 'error', signal: AbortSignal.timeout(FETCH_MS) });
    if (response.status !== 200) return `${url} answers ${response.status}`;
    const text = (await response.text()).slice(0, MOST_BYTES);
    const lines = text.split(/\r?\n/).map((line) => /^\s*([\w-]+)\s*:\s*(.*?)\s*$/.exec(line));
    const values = (key: string): string[] => lines.flatMap((line) => (line?.[1] === key ? [line[2] ?? ''] : []));
    const [mode = ''] = values('mode');
    if (
      values('version')[0] !== 'STSv1' ||
      !['enforce', 'testing', 'none'].includes(mode) ||
      !/^\d{1,10}$/.test(values('max_age')[0] ?? '')
    )
      return `${url} is no policy: it needs version, mode and max_age`;
    if (mode !== 'none' && values('mx').length === 0) return `${url} names no mx`;
    return { mode, mx: values('mx').map((one) => one.toLowerCase()) };
  } catch {
    return `${url} cannot be fetched`;
  }
}

/** A star stands for one label (RFC 8461 section 4.1). */
function matches(pattern: string, host: string): boolean {
  return pattern.startsWith('*.') ? host.slice(host.indexOf('.')) === pattern.slice(1) : host === pattern;
}
