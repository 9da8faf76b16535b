/** Domains above domains, and whether two are of one organisation, as far as their names tell. */

/** Names that registries of countries take the names of others below, such as `co.uk`. */
const REGISTRIES: ReadonlySet<string> = new Set(['ac', 'co', 'com', 'edu', 'gov', 'net', 'org']);

/** A domain and those above it, the nearest first. */
export function lineage(domain: string): string[] {
  const labels = domain.split('.');
  return labels.map((_, index) => labels.slice(index).join('.'));
}

/**
 * Whether one domain may be aligned with another where alignment is relaxed: both below one organisational domain. Receivers find
 * that in DNS (RFC 9989 section 4.10) or in a list of public suffixes (RFC 7489 section 3.2); names alone tell only that it
 * cannot be, and what is not sure counts as aligned.
 */
export function mayBeAligned(one: string, other: string): boolean {
  const above = lineage(other);
  const common = lineage(one).find((domain) => above.includes(domain));
  if (common === undefined || common === one || common === other) return common !== undefined;
  const [name = '', top, ...more] = common.split('.');
  return top !== undefined && (more.length > 0 || top.length !== 2 || !REGISTRIES.has(name));
}
