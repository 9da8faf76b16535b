import { MailRelayError } from '../errors.ts';
import type { Answer, Incoming } from './port.ts';

/** A web-standard request, as the routes see it. */
export function fromRequest(request: Request): Incoming {
  const { pathname, search, host } = new URL(request.url);
  return {
    method: request.method,
    pathname,
    search,
    host: request.headers.get('host') ?? host,
    header: (name) => request.headers.get(name) ?? undefined,
    body: (limitBytes) => readBody(request, limitBytes),
  };
}

async function readBody(request: Request, limitBytes: number): Promise<Uint8Array> {
  if (request.bodyUsed) throw new MailRelayError('BODY_CONSUMED');
  if (Number(request.headers.get('content-length') ?? 0) > limitBytes)
    throw new MailRelayError('BODY_TOO_LARGE', { limitBytes });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  if (request.body === null) return new Uint8Array();
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    if (bytes > limitBytes) throw new MailRelayError('BODY_TOO_LARGE', { limitBytes });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** An answer as a web-standard response; without the body for HEAD. */
export function toResponse(answer: Answer, method: string): Response {
  const headers = new Headers(answer.headers);
  headers.set(
    'Content-Length',
    String(typeof answer.body === 'string' ? Buffer.byteLength(answer.body) : answer.body.byteLength),
  );
  const body = method === 'HEAD' || answer.body.length === 0 ? null : (answer.body as string | Uint8Array<ArrayBuffer>);
  return new Response(body, { status: answer.status, headers });
}
