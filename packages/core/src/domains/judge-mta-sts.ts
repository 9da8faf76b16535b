import { textRecord } from './create-key.ts';
import type { Hosts } from './judge-hosts.ts';
import type { Lookup } from './lookup.ts';
import type { DomainFinding, PolicyFile } from './port.ts';

/** How policies are fetched: `fetch` of the web, or something like it. */
export type FetchPolicy = (url: string, options: RequestInit) => Promise<Response>;

/** A policy that has been fetched. */
interface Policy {
  readonly mode: string;
  readonly mx: readonly string[];
  readonly lines: readonly string[];
}

const FETCH_MS = 10_000;
/** Longest policy, bytes (RFC 8461 section 3.2 suggests 64 KB). */
const MOST_BYTES = 65_536;
/** How long senders keep a policy that is proposed, s: a week. */
const MAX_AGE = 604_800;
/** The id in a record (RFC 8461 section 3.1). */
const ID = /(;\s*id=)([a-z0-9]{1,32})(?=\s*(?:;|$))/i;
const LONGEST_ID = 32;

/** MTA-STS of a domain (RFC 8461), by which others send to it encrypted. */
export async function checkMtaSts(
  lookup: Lookup,
  domain: string,
  { names: hosts, arePlanned }: Hosts,
  fetchPolicy: FetchPolicy,
): Promise<DomainFinding> {
  const name = `_mta-sts.${domain}`;
  const url = `https://mta-sts.${domain}/.well-known/mta-sts.txt`;
  const found = (await lookup.text(name)).filter((record) => /^v=STSv1\s*;/.test(record));
  const finding = (
    status: DomainFinding['status'],
    code: string,
    says: string,
    publish?: string,
    lines?: readonly string[],
  ): DomainFinding => ({
    topic: 'mta-sts',
    name,
    status,
    code,
    found,
    says,
    ...(publish === undefined ? {} : { publish: textRecord(name, publish) }),
    ...(lines === undefined ? {} : { policy: fileOf(url, lines) }),
  });
  const server = `mta-sts.${domain} needs an address record (A, AAAA or CNAME) of a web server with a certificate for that name`;
  const none = 'The policy names the MX hosts: publish an MX record first';
  if (found.length === 0) {
    const says = 'not published; with it, mail to the domain always travels encrypted';
    return hosts.length === 0
      ? finding('advice', 'mta-sts-missing', `${says}. ${none}`)
      : finding(
          'advice',
          'mta-sts-missing',
          `${says}. ${server}. Serve the policy there before the record is published`,
          'v=STSv1; id=1',
          testing(hosts),
        );
  }
  const valid = found.find((record) => ID.test(record));
  const [record = ''] = found;
  if (found.length > 1)
    return finding(
      'problem',
      'mta-sts-several',
      'there are several records: senders ignore all of them',
      valid ?? 'v=STSv1; id=1',
    );
  if (valid === undefined)
    return finding(
      'problem',
      'mta-sts-invalid',
      'its id= is missing, or has not 1 to 32 letters and digits',
      'v=STSv1; id=1',
    );
  const policy = await policyAt(url, fetchPolicy);
  if (typeof policy === 'string')
    return hosts.length === 0
      ? finding('problem', 'mta-sts-policy', `${policy}. ${none}`)
      : finding('problem', 'mta-sts-policy', `${policy}. ${server}`, renewed(record), testing(hosts));
  const others = hosts.filter((host) => !arePlanned && !policy.mx.some((pattern) => matches(pattern, host)));
  if (policy.mode !== 'none' && others.length > 0)
    return finding(
      'problem',
      'mta-sts-mx',
      `the policy does not name ${others.join(', ')}: no mail is sent there`,
      renewed(record),
      [...policy.lines, ...others.map((host) => `mx: ${host}`)],
    );
  if (policy.mode === 'enforce') return finding('ok', 'mta-sts-ok', 'mail to the domain always travels encrypted');
  const says = `its mode is ${policy.mode}: enforce makes it count`;
  if (policy.mode === 'testing')
    return finding(
      'advice',
      'mta-sts-mode',
      `${says}, once senders report no failures`,
      renewed(record),
      policy.lines.map((line) => line.replace(/^(\s*mode\s*:\s*)testing/, '$1enforce')),
    );
  return hosts.length === 0
    ? finding('advice', 'mta-sts-mode', `${says}. ${none}`)
    : finding('advice', 'mta-sts-mode', `${says}, after testing`, renewed(record), testing(hosts));
}

/** A policy to begin with: senders report what would fail, and send all the same. */
function testing(hosts: readonly string[]): string[] {
  return ['version: STSv1', 'mode: testing', ...hosts.map((host) => `mx: ${host}`), `max_age: ${MAX_AGE}`];
}

function fileOf(url: string, lines: readonly string[]): PolicyFile {
  return { url, text: `${lines.join('\n')}\n` };
}

/** The record with another id, by which senders learn that the policy has changed. */
function renewed(record: string): string {
  return record.replace(ID, (_, before: string, id: string) => before + nextId(id));
}

/** Counts on where the id ends with a number, such as a date. */
function nextId(id: string): string {
  const [, before = '', digits = ''] = /^(.*?)(\d*)$/.exec(id) ?? [];
  const next = before + String(BigInt(digits) + 1n).padStart(digits.length, '0');
  return next.length > LONGEST_ID ? '1' : next;
}

/** The policy, or what is wrong with it. */
async function policyAt(url: string, fetchPolicy: FetchPolicy): Promise<Policy | string> {
  try {
    const response = await fetchPolicy(url, { redirect: 'error', signal: AbortSignal.timeout(FETCH_MS) });
    if (response.status !== 200) return `${url} answers ${response.status}`;
    const text = (await response.text()).slice(0, MOST_BYTES);
    const lines = text.trimEnd().split(/\r?\n/);
    const fields = lines.map((line) => /^\s*([\w-]+)\s*:\s*(.*?)\s*$/.exec(line));
    const values = (key: string): string[] => fields.flatMap((field) => (field?.[1] === key ? [field[2] ?? ''] : []));
    const [mode = ''] = values('mode');
    if (
      values('version')[0] !== 'STSv1' ||
      !['enforce', 'testing', 'none'].includes(mode) ||
      !/^\d{1,10}$/.test(values('max_age')[0] ?? '')
    )
      return `${url} is no policy: it needs version, mode and max_age`;
    if (mode !== 'none' && values('mx').length === 0) return `${url} names no mx`;
    return { mode, mx: values('mx').map((one) => one.toLowerCase()), lines };
  } catch {
    return `${url} cannot be fetched`;
  }
}

/** A star stands for one label (RFC 8461 section 4.1). */
function matches(pattern: string, host: string): boolean {
  return pattern.startsWith('*.') ? host.slice(host.indexOf('.')) === pattern.slice(1) : host === pattern;
}
