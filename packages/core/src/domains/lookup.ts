import type { DomainResolver } from './port.ts';

/** DNS gave no answer: nothing follows from that. */
export class LookupFailure extends Error {}

/** Look-ups that answer an empty list where there is nothing. */
export interface Lookup {
  /** Records of text, their strings joined. @throws LookupFailure */
  text(name: string): Promise<string[]>;
  /** By preference. @throws LookupFailure */
  mx(name: string): Promise<{ readonly exchange: string; readonly priority: number }[]>;
  /** IPv4 and IPv6. @throws LookupFailure */
  addresses(name: string): Promise<string[]>;
  /** Names of an address. @throws LookupFailure */
  names(address: string): Promise<string[]>;
}

/** Each question is asked once. */
export function createLookup(resolver: DomainResolver): Lookup {
  const asked = new Map<string, Promise<unknown>>();
  function once<T>(kind: string, name: string, ask: () => Promise<T[]>): Promise<T[]> {
    const key = `${kind} ${name.toLowerCase()}`;
    const known = asked.get(key) as Promise<T[]> | undefined;
    if (known !== undefined) return known;
    const answer = ask().catch((error: unknown) => {
      const code = (error as { readonly code?: unknown } | null)?.code;
      if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
      throw new LookupFailure(
        `DNS did not answer for ${kind} of ${name}${typeof code === 'string' ? ` (${code})` : ''}`,
      );
    });
    asked.set(key, answer);
    return answer;
  }
  const bare = (name: string): string => name.toLowerCase().replace(/\.$/, '');
  return {
    text: (name) => once('TXT', name, async () => (await resolver.resolveTxt(name)).map((strings) => strings.join(''))),
    mx: (name) =>
      once('MX', name, async () =>
        (await resolver.resolveMx(name))
          .map(({ exchange, priority }) => ({ exchange: bare(exchange), priority }))
          .sort((one, other) => one.priority - other.priority),
      ),
    async addresses(name) {
      const both = await Promise.all([
        once('A', name, () => resolver.resolve4(name)),
        once('AAAA', name, () => resolver.resolve6(name)),
      ]);
      return both.flat();
    },
    names: (address) => once('PTR', address, async () => (await resolver.reverse(address)).map(bare)),
  };
}

/** Tags of a record such as `v=DMARC1; p=none` (RFC 6376 section 3.2), names in lower case; undefined where it is no such list. */
export function tagsOf(record: string): ReadonlyMap<string, string> | undefined {
  const tags = new Map<string, string>();
  for (const part of record.split(';')) {
    if (part.trim() === '') continue;
    const [, name, value] = /^\s*([a-z]\w*)\s*=(.*)$/is.exec(part) ?? [];
    if (name === undefined || value === undefined || tags.has(name.toLowerCase())) return undefined;
    tags.set(name.toLowerCase(), value.trim());
  }
  return tags;
}
