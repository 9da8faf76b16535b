import type { ServerResponse } from 'node:http';
import { type NodeRequest, readBody, splitUrl } from './incoming.ts';

/** Longest body that is handed to a `handle` function of the host's own, bytes: as much as webhooks may have. */
const MAX_BODY_BYTES = 5_242_880;

/**
 * A web-standard request from one of `node:http`. Its signal aborts when the client goes away. Undefined for what has no such
 * form: the method TRACE, or a Host header that is no host.
 */
export function toRequest(req: NodeRequest, res: ServerResponse, url: string): Request | undefined {
  const method = req.method ?? 'GET';
  const abort = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) abort.abort();
  });
  const headers = new Headers();
  for (let at = 0; at + 1 < req.rawHeaders.length; at += 2) {
    headers.append(req.rawHeaders[at] as string, req.rawHeaders[at + 1] as string);
  }
  const scheme = 'encrypted' in req.socket ? 'https' : 'http';
  const base = `${scheme}://${req.headers.host ?? 'localhost'}`;
  const target = splitUrl(url).join('');
  const init = { method, headers, signal: abort.signal };
  const body = method === 'GET' || method === 'HEAD' ? {} : { body: lazyBody(req), duplex: 'half' as const };
  try {
    return new Request(base + target, { ...init, ...body });
  } catch {
    return undefined;
  }
}

/** Reads the request when the first chunk is asked for. */
function lazyBody(req: NodeRequest): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream(
    {
      async pull(controller): Promise<void> {
        const bytes = await readBody(req, MAX_BODY_BYTES);
        if (bytes.byteLength > 0) controller.enqueue(new Uint8Array(bytes));
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
