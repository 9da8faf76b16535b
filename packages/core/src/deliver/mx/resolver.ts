import { Resolver as DnsResolver } from 'node:dns/promises';
import { messageOf } from '../../errors.ts';
import type { DnsOptions } from './port.ts';
import { createQuestions } from './questions.ts';

/** A host that takes mail for a domain; without a name it is a null MX (RFC 7505). */
export interface MxRecord {
  /** In lower case, without a dot at its end. */
  readonly name: string;
  readonly preference: number;
}

/** What the DNS says. Trouble (no answer, SERVFAIL, nonsense) says nothing about the name. */
export type Answer<T> =
  | { readonly type: 'found'; readonly records: readonly T[]; readonly ttlMs?: number }
  /** The name exists, without such records. */
  | { readonly type: 'none' }
  | { readonly type: 'no-such-name' }
  | { readonly type: 'trouble'; readonly reply: string };

/** Asks the DNS. Never rejects. */
export interface Resolver {
  mx(domain: string): Promise<Answer<MxRecord>>;
  /** IPv4 addresses, then IPv6. */
  addresses(host: string): Promise<Answer<string>>;
  /** Each record as one text. */
  txt(name: string): Promise<Answer<string>>;
}

const TIMEOUT_MS = 5000;
const TRIES = 3;

/** Asks the name servers of the machine, or those given. */
export function createResolver({ servers, timeoutMs = TIMEOUT_MS, tries = TRIES }: DnsOptions = {}): Resolver {
  const dns = new DnsResolver({ timeout: timeoutMs, tries });
  if (servers !== undefined) dns.setServers(servers);
  const inTurn = createQuestions();
  const asked = <T>(...question: Parameters<typeof answerTo<T>>): Promise<Answer<T>> =>
    inTurn(() => answerTo(...question));

  return {
    mx: (domain) =>
      asked('MX', domain, async () => {
        const records = await dns.resolveMx(domain);
        return { records: records.map(({ exchange, priority }) => ({ name: plain(exchange), preference: priority })) };
      }),
    async addresses(host) {
      const [four, six] = await Promise.all([
        asked('A', host, async () => withTtl(await dns.resolve4(host, { ttl: true }))),
        asked('AAAA', host, async () => withTtl(await dns.resolve6(host, { ttl: true }))),
      ]);
      return joined(four, six);
    },
    txt: (name) =>
      asked('TXT', name, async () => ({ records: (await dns.resolveTxt(name)).map((parts) => parts.join('')) })),
  };
}

async function answerTo<T>(
  kind: string,
  name: string,
  ask: () => Promise<{ records: readonly T[]; ttlMs?: number }>,
): Promise<Answer<T>> {
  try {
    const found = await ask();
    return found.records.length === 0 ? { type: 'none' } : { type: 'found', ...found };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTFOUND') return { type: 'no-such-name' };
    if (code === 'ENODATA') return { type: 'none' };
    return {
      type: 'trouble',
      reply: `the DNS did not say which ${kind} records ${name} has: ${code ?? messageOf(error)}`,
    };
  }
}

function withTtl(records: readonly { address: string; ttl: number }[]): { records: string[]; ttlMs: number } {
  return {
    records: records.map(({ address }) => address),
    ttlMs: 1000 * Math.min(...records.map(({ ttl }) => ttl)),
  };
}

/** What was found counts, also where the other question was not answered: many name servers stumble over AAAA. */
function joined(four: Answer<string>, six: Answer<string>): Answer<string> {
  const found = [four, six].flatMap((answer) => (answer.type === 'found' ? [answer] : []));
  if (found.length > 0) {
    const ttlMs = Math.min(...found.map((answer) => answer.ttlMs ?? Number.POSITIVE_INFINITY));
    return { type: 'found', records: found.flatMap(({ records }) => records), ttlMs };
  }
  if (four.type === 'trouble') return four;
  if (six.type === 'trouble') return six;
  return four.type === 'no-such-name' ? six : four;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
