import { type Lookup, tagsOf } from './lookup.ts';

/** A DMARC record, and where it stands. */
export interface Dmarc {
  readonly domain: string;
  readonly record: string;
  readonly tags: ReadonlyMap<string, string>;
}

/** What the tree of a domain says (RFC 9989 section 4.10). */
export interface DmarcTree {
  /** The record that applies; undefined where there is none. */
  readonly policy: Dmarc | undefined;
  /** The organisational domain, which relaxed alignment compares. */
  readonly organization: string;
  /** What stands at the domain itself: several records are taken for none. */
  readonly own: readonly string[];
}

/** Longest way up, labels (RFC 9989 section 4.10). */
const MAX_LABELS = 8;

/** Walks up from a domain. @throws LookupFailure */
export async function walkDmarc(lookup: Lookup, domain: string): Promise<DmarcTree> {
  const own = await recordsAt(lookup, domain);
  const found: Dmarc[] = [];
  for (const name of ancestry(domain)) {
    const [record, ...more] = await recordsAt(lookup, name);
    const tags = record === undefined || more.length > 0 ? undefined : tagsOf(record);
    if (record === undefined || tags === undefined) continue;
    found.push({ domain: name, record, tags });
    if (/^[yn]$/i.test(tags.get('psd') ?? '')) break;
  }
  const organization = organizationOf(domain, found);
  const policy =
    found.find((one) => one.domain === domain) ?? found.find((one) => one.domain === organization) ?? found.at(-1);
  return { policy, organization, own };
}

async function recordsAt(lookup: Lookup, domain: string): Promise<string[]> {
  return (await lookup.text(`_dmarc.${domain}`)).filter((record) => /^v\s*=\s*DMARC1\s*(?:;|$)/.test(record));
}

/** The domain and those above it; from long names to those of seven labels at once. */
function ancestry(domain: string): string[] {
  const labels = domain.split('.');
  const names = [domain];
  const rest = labels.length >= MAX_LABELS ? labels.slice(-(MAX_LABELS - 1)) : labels.slice(1);
  for (let from = 0; from < rest.length; from++) names.push(rest.slice(from).join('.'));
  return names;
}

/**
 * Whether another domain is aligned with one (RFC 9989 section 4.4, RFC 7489 section 3.1).
 *
 * @param mode - the tag `adkim` or `aspf` of its record
 * @throws LookupFailure
 */
export async function isAligned(
  lookup: Lookup,
  { domain, organization }: { readonly domain: string; readonly organization: string },
  other: string,
  mode: string | undefined,
): Promise<boolean> {
  if (other === domain) return true;
  return mode?.toLowerCase() !== 's' && (await walkDmarc(lookup, other)).organization === organization;
}

/** RFC 9989 section 4.10.2. */
function organizationOf(domain: string, found: readonly Dmarc[]): string {
  const last = found.at(-1);
  if (last === undefined) return domain;
  if (last.tags.get('psd')?.toLowerCase() === 'y' && last.domain !== domain) {
    const labels = domain.split('.');
    return labels.slice(-(last.domain.split('.').length + 1)).join('.');
  }
  return last.domain;
}
