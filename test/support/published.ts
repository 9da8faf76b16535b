import type { DomainResolver } from '../../packages/core/src/index.ts';

/** What DNS holds, by kind and name, such as `TXT example.com`. `fail` lists questions that are not answered. */
export interface FakeZone {
  readonly records: Readonly<Record<string, readonly string[]>>;
  readonly fail?: readonly string[];
}

/** A resolver over records in memory, with the errors of node:dns. */
export function fakeResolver({ records, fail = [] }: FakeZone): DomainResolver & { readonly asked: string[] } {
  const asked: string[] = [];
  function find(kind: string, name: string): readonly string[] {
    const question = `${kind} ${name}`;
    asked.push(question);
    if (fail.includes(question)) throw Object.assign(new Error('no answer'), { code: 'ESERVFAIL' });
    const found = records[question];
    if (found === undefined) throw Object.assign(new Error('nothing'), { code: 'ENOTFOUND' });
    return found;
  }
  return {
    asked,
    // Long values come in pieces, as from DNS.
    resolveTxt: async (name) => find('TXT', name).map((text) => text.match(/.{1,255}/g) ?? []),
    resolveMx: async (name) =>
      find('MX', name).map((text) => {
        const [priority = '0', exchange = ''] = text.split(' ');
        return { priority: Number(priority), exchange: exchange === '.' ? '' : exchange };
      }),
    resolve4: async (name) => [...find('A', name)],
    resolve6: async (name) => [...find('AAAA', name)],
    reverse: async (address) => [...find('PTR', address)],
  };
}
