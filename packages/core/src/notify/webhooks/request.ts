import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { ResolvedEndpoint } from '../port.ts';
import { type FindAddresses, guardedLookup, namesSpecialAddress, REFUSED } from './guarded-lookup.ts';

/** What an endpoint answered. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

/** Posts to one endpoint; connections are kept for a while. */
export interface Requests {
  /** @throws Error where there is no answer */
  post(body: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

/** Of the answer's body nothing is read, but a connection can only be used again behind it. More than this ends it, bytes. */
const MAX_BODY = 65_536;
/** A body that takes longer ends it, too, ms: the next event waits for the connection. */
const BODY_MS = 1000;
/** A connection that nothing is posted on is closed, ms. */
const IDLE_MS = 30_000;

/** Requests to an endpoint; redirects are not followed. @param find - looks hosts up @default as the system does */
export function createRequests(endpoint: ResolvedEndpoint, find?: FindAddresses): Requests {
  const url = new URL(endpoint.url);
  const secure = url.protocol === 'https:';
  const refused = !endpoint.allowPrivateAddresses && namesSpecialAddress(url);
  const options = {
    keepAlive: true,
    maxSockets: endpoint.concurrency,
    timeout: IDLE_MS,
    ...(endpoint.allowPrivateAddresses && find === undefined ? {} : { lookup: guardedLookup(find) }),
  };
  const agent = secure
    ? new HttpsAgent({ ...options, ...(endpoint.ca === undefined ? {} : { ca: endpoint.ca }) })
    : new HttpAgent(options);

  function send(bytes: Buffer, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const begin = secure ? httpsRequest : httpRequest;
    const request = begin(url, { method: 'POST', agent, headers, signal }, (response) => {
      drain(response);
      resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      // The other side closed a connection that was kept, before it could have read anything.
      const stale = request.reusedSocket && error.code === 'ECONNRESET' && !signal.aborted;
      if (stale) send(bytes, { ...headers, connection: 'close' }, signal).then(resolve, reject);
      else reject(error);
    });
    request.end(bytes);
    return promise;
  }

  return {
    async post(body, headers, signal) {
      if (refused) throw new Error(REFUSED);
      const bytes = Buffer.from(body);
      return send(bytes, { ...headers, 'content-length': String(bytes.length) }, signal);
    },
    close: () => agent.destroy(),
  };
}

function drain(response: IncomingMessage): void {
  let bytes = 0;
  const late = setTimeout(() => response.destroy(), BODY_MS).unref();
  response.on('close', () => clearTimeout(late));
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_BODY) response.destroy();
  });
  // What was answered is known by then.
  response.on('error', () => {});
}
