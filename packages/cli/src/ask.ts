/** Asks one address of the web. */
import { lookup } from 'node:dns';
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';

/** How links are asked. */
export interface AskOptions {
  /** Longest time for one request, ms. */
  readonly timeoutMs: number;
  /** Whether an IP address must not be asked. */
  refuses(address: string): boolean;
}

/** What a server said; the body is not read. */
export interface Answered {
  readonly status: number;
  readonly location: string | undefined;
}

/** The address must not be asked. */
export class Refused extends Error {
  readonly address: string;

  constructor(address: string) {
    super(`${address} is refused`);
    this.address = address;
  }
}

/**
 * Sends one request, and follows nothing.
 *
 * @throws Refused where the host has only addresses that are refused: it is the address that is connected to which counts
 * @throws Error with `code` where nothing answers; `ABORT_ERR` when that took too long
 */
export function ask(url: URL, method: 'HEAD' | 'GET', { timeoutMs, refuses }: AskOptions): Promise<Answered> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && refuses(host)) return Promise.reject(new Refused(host));
  const { request } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      method,
      agent: false,
      lookup: lookupWithout(refuses),
      signal: AbortSignal.timeout(timeoutMs),
      // Some servers turn away who does not say what they are.
      headers: { Accept: '*/*', 'User-Agent': 'Mozilla/5.0 (compatible; mailrelay templates check)' },
    });
    asked.on('error', reject);
    asked.on('response', ({ statusCode = 0, headers }) => {
      resolve({ status: statusCode, location: headers.location });
      asked.destroy();
    });
    asked.end();
  });
}

function lookupWithout(refuses: AskOptions['refuses']): LookupFunction {
  return (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return done(error, '', 0);
      const usable = found.filter(({ address }) => !refuses(address));
      const [first] = usable;
      if (first === undefined) done(new Refused(found[0]?.address ?? host), '', 0);
      else if (options.all === true) done(null, usable);
      else done(null, first.address, first.family);
    });
  };
}
