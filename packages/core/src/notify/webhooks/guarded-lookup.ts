import { lookup as lookupHost } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { isSpecialAddress } from '../../special-addresses.ts';

/** Finds the addresses of a host. */
export type FindAddresses = (host: string) => Promise<readonly string[]>;

const ofSystem: FindAddresses = async (host) => (await lookupHost(host, { all: true })).map(({ address }) => address);

/**
 * Looks a host up once, for the connection itself: it goes to an address that was checked, whatever the name leads to a
 * moment later. Where one address of several is private, the host is refused.
 */
export function guardedLookup(find: FindAddresses = ofSystem): LookupFunction {
  return (host, options, done) => {
    find(host).then(
      (found) => {
        const list = found.map((address) => ({ address, family: isIP(address) }));
        const [first] = list;
        if (first === undefined) done(new Error(`${host} has no address`), '', 4);
        else if (found.some(isSpecialAddress)) done(new Error(REFUSED), '', 4);
        else if (options.all === true) done(null, list);
        else done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, '', 4),
    );
  };
}

/** Says why, and not which address: that is a finding for whoever probes a network. */
export const REFUSED =
  'its address is private, of this machine or otherwise not public: `allowPrivateAddresses` is needed';

/** Whether a URL names such an address itself; then nothing is looked up. */
export function namesSpecialAddress(url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return isIP(host) !== 0 && isSpecialAddress(host);
}
