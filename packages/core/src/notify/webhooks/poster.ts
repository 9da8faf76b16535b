import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { VERSION } from '../../version.ts';
import type { Handle, ResolvedEndpoint, Verdict } from '../port.ts';
import type { FindAddresses } from './guarded-lookup.ts';
import { payloadOf } from './payload.ts';
import { type Answer, createRequests } from './request.ts';
import { retryAfter } from './retry-after.ts';
import { signedHeaders } from './sign.ts';

/** Posts events to one endpoint. */
export interface Poster {
  readonly post: Handle;
  close(): void;
}

/** @param find - looks hosts up @default as the system does */
export function createPoster(endpoint: ResolvedEndpoint, clock: Pick<Clock, 'now'>, find?: FindAddresses): Poster {
  const requests = createRequests(endpoint, find);
  const keys = endpoint.keys.map((key) => Buffer.from(key, 'base64'));

  function judge(answer: Answer, ms: number): Verdict {
    const { status } = answer;
    const request = { status, ms };
    if (status >= 200 && status < 300) return { ok: true, request };
    if (status === 410)
      return { ok: false, request, error: 'HTTP 410', pause: 'the endpoint says that it is gone (410)' };
    const waitMs = retryAfter(answer.retryAfter, clock.now());
    return { ok: false, request, error: `HTTP ${status}`, waitMs };
  }

  return {
    async post(event, { signal }) {
      const body = payloadOf(event);
      const timestamp = Math.floor(clock.now() / 1000);
      const headers = {
        ...signedHeaders({ id: event.id, timestamp, body }, keys),
        'content-type': 'application/json',
        'user-agent': `mail-relay/${VERSION}`,
      };
      const begun = performance.now();
      const late = AbortSignal.timeout(endpoint.timeoutMs);
      try {
        const answer = await requests.post(body, headers, AbortSignal.any([signal, late]));
        return judge(answer, performance.now() - begun);
      } catch (error) {
        const request = { status: undefined, ms: performance.now() - begun };
        const said = late.aborted ? `no answer within ${endpoint.timeoutMs} ms` : messageOf(error);
        return { ok: false, request, error: said };
      }
    },
    close: requests.close,
  };
}
