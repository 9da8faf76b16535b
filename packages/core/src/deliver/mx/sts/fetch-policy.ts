import { type RequestOptions, request } from 'node:https';
import type { LookupFunction } from 'node:net';
import { isSpecialAddress } from '../../../special-addresses.ts';
import type { DirectMxSettings } from '../port.ts';
import type { Resolver } from '../resolver.ts';
import { type Policy, parsePolicy } from './policy.ts';

/** Fetches the policy of a domain; undefined where there is none to be had. Never rejects. */
export type FetchPolicy = (domain: string) => Promise<Policy | undefined>;

/** Longest time for a policy, ms, and its largest size, bytes (RFC 8461 section 3.3 suggests a minute and 64 KB). */
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 65_536;

/** Fetches policies over HTTPS with a certificate that is trusted, without redirects (RFC 8461 section 3.3). */
export function policyFetcher(
  settings: Pick<DirectMxSettings, 'ports' | 'ca' | 'allowPrivateAddresses'>,
  resolver: Resolver,
): FetchPolicy {
  const lookup = lookupWith(resolver, settings.allowPrivateAddresses ?? false);
  return async (domain) => {
    const host = `mta-sts.${domain}`;
    const text = await fetchText({
      host,
      servername: host,
      port: settings.ports?.https ?? 443,
      path: '/.well-known/mta-sts.txt',
      lookup,
      agent: false,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(settings.ca === undefined ? {} : { ca: settings.ca }),
    });
    return text === undefined ? undefined : parsePolicy(text);
  };
}

function fetchText(options: RequestOptions): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = request(options, (response) => {
      const type = response.headers['content-type'] ?? '';
      if (response.statusCode !== 200 || !/^text\/plain\s*(?:;|$)/i.test(type)) return void asked.destroy();
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MAX_BYTES) asked.destroy();
      });
      response.on('end', () => resolve(response.complete ? Buffer.concat(chunks).toString() : undefined));
    });
    asked.on('error', () => resolve(undefined));
    asked.on('close', () => resolve(undefined));
    asked.end();
  });
}

/** Names are looked up as those of mail servers are. */
function lookupWith(resolver: Resolver, allowPrivate: boolean): LookupFunction {
  return (host, options, done) => {
    void resolver.addresses(host).then((answer) => {
      const found = answer.type === 'found' ? answer.records : [];
      const usable = found.filter((address) => allowPrivate || !isSpecialAddress(address));
      const list = usable.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      const [first] = list;
      if (first === undefined) done(Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' }), '', 4);
      else if (options.all === true) done(null, list);
      else done(null, first.address, first.family);
    });
  };
}
