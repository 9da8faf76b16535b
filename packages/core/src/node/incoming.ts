import type { IncomingMessage } from 'node:http';
import { MailRelayError } from '../errors.ts';
import type { Incoming } from '../http/port.ts';

/** What frameworks add to a request of `node:http`. */
export interface NodeRequest extends IncomingMessage {
  /** URL before the framework cut the mount path off (Express, Connect, Nest). */
  readonly originalUrl?: string;
  /** What a body parser made of the body. */
  readonly body?: unknown;
  /** The body as it came, where a parser kept it (Nest's `rawBody: true`). */
  readonly rawBody?: unknown;
}

/** A request of `node:http`, as the routes see it. Nothing of the body is read before somebody asks for it. */
export function fromNode(req: NodeRequest, url: string): Incoming {
  const [pathname, search] = splitUrl(url);
  return {
    method: req.method ?? 'GET',
    pathname,
    search,
    host: req.headers.host ?? '',
    header(name) {
      const value = req.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    body: (limitBytes) => readBody(req, limitBytes),
  };
}

/** Path and query of a request target, also in absolute form (RFC 9112 section 3.2.2). */
export function splitUrl(url: string): readonly [pathname: string, search: string] {
  const target = url.startsWith('/') ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  const end = target.search(/[?#]/);
  if (end < 0) return [target, ''];
  return [target.slice(0, end), target.slice(end).split('#', 1)[0] as string];
}

/** The client went away before its request was complete: there is nobody to answer, and nothing that the host could do. */
export class ClientGone extends Error {
  constructor() {
    super('the client went away before its request was complete');
  }
}

/** The body, also where a parser of the host was there first and left something to go by. */
export async function readBody(req: NodeRequest, limitBytes: number): Promise<Uint8Array> {
  const kept = keptBody(req);
  if (kept !== undefined) return checkSize(kept, limitBytes);
  if (!hasBody(req)) return new Uint8Array();
  if (req.readableDidRead || req.readableEnded || req.destroyed) {
    throw new MailRelayError('BODY_CONSUMED', {
      path: splitUrl(req.originalUrl ?? req.url ?? '/')[0]
        .split('/', 3)
        .join('/'),
    });
  }
  if (Number(req.headers['content-length'] ?? 0) > limitBytes) throw tooLarge(limitBytes);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (finish: () => void): void => {
      req.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      finish();
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.byteLength;
      chunks.push(chunk);
      if (bytes > limitBytes) {
        req.pause();
        settle(() => reject(tooLarge(limitBytes)));
      }
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks)));
    const onError = (error: NodeJS.ErrnoException): void =>
      settle(() => reject(error.code === 'ECONNRESET' ? new ClientGone() : error));
    const onClose = (): void => settle(() => reject(new ClientGone()));
    req.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  });
}

function keptBody({ rawBody, body, headers }: NodeRequest): Uint8Array | undefined {
  if (rawBody instanceof Uint8Array) return rawBody;
  if (body instanceof Uint8Array) return body;
  if (typeof body === 'string') return Buffer.from(body);
  const isForm = /^(?:application\/x-www-form-urlencoded|multipart\/form-data)\b/i.test(headers['content-type'] ?? '');
  if (!isForm || typeof body !== 'object' || body === null) return undefined;
  // Express 4 puts an empty object there before any parser has run.
  const fields = Object.entries(body as Record<string, unknown>).flatMap(([name, value]) =>
    [value].flat().flatMap((one): [string, string][] => (typeof one === 'string' ? [[name, one]] : [])),
  );
  return fields.length === 0 ? undefined : Buffer.from(new URLSearchParams(fields).toString());
}

/** RFC 9112 section 6.3: a request without these two headers has no body. */
function hasBody({ headers }: NodeRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function checkSize(bytes: Uint8Array, limitBytes: number): Uint8Array {
  if (bytes.byteLength > limitBytes) throw tooLarge(limitBytes);
  return bytes;
}

function tooLarge(limitBytes: number): MailRelayError {
  return new MailRelayError('BODY_TOO_LARGE', { limitBytes });
}
