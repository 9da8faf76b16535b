/** Serves a relay's routes with `node:http` and every framework that stands on it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answeringOf } from '../http/port.ts';
import { check, rule } from '../rules.ts';
import { ClientGone, fromNode, type NodeRequest, splitUrl } from './incoming.ts';
import { sendAnswer, sendResponse } from './outgoing.ts';
import { toRequest } from './request.ts';

/** The part of a relay that serves HTTP. */
export interface HandledRelay {
  handle(request: Request): Promise<Response | undefined>;
  matches(pathname: string): boolean;
}

/** Hands a request on: to the next handler, or with an error to the error handler. */
export type Next = (error?: unknown) => void;

/** A handler for `node:http`, Express, Connect, Nest, Fastify with middie and others. */
export type NodeHandler = (req: IncomingMessage, res: ServerResponse, next?: Next) => void;

const RELAY = rule((value) => {
  const { handle, matches } = Object(value) as Partial<HandledRelay>;
  return typeof handle === 'function' && typeof matches === 'function';
}, 'must be a relay, as createMailRelay() makes it');

/**
 * Makes a handler for `node:http` and the frameworks on it. A request that is not the relay's goes to `next` untouched, its
 * body unread; without `next` it is answered with 404.
 *
 * @throws MailRelayError `OPTIONS_INVALID` for what is no relay
 * @example
 * createServer(toNodeHandler(relay)).listen(3000);
 */
export function toNodeHandler(relay: HandledRelay): NodeHandler {
  check(RELAY, relay, 'relay');
  const answering = answeringOf(relay.handle);
  const serve = async (req: NodeRequest, res: ServerResponse, url: string): Promise<boolean> => {
    const method = req.method ?? 'GET';
    if (answering !== undefined) {
      const answer = await answering(fromNode(req, url));
      if (answer !== undefined) sendAnswer(res, answer, method);
      return answer !== undefined;
    }
    const request = toRequest(req, res, url);
    if (request === undefined) {
      sendText(res, 400, 'Bad request');
      return true;
    }
    const response = await relay.handle(request);
    if (response !== undefined) await sendResponse(res, response, method);
    return response !== undefined;
  };

  return function mailRelayNodeHandler(req: NodeRequest, res, next = lastResort(res)) {
    const url = ownUrl(relay, req);
    if (url === undefined) return next();
    serve(req, res, url).then(
      (served) => {
        if (!served) next();
      },
      (error) => {
        if (!(error instanceof ClientGone)) next(error);
      },
    );
  };
}

/** The spelling of the URL that is the relay's: the full one, or what is left of it under a mount path. */
function ownUrl(relay: HandledRelay, { originalUrl, url }: NodeRequest): string | undefined {
  if (originalUrl !== undefined && relay.matches(splitUrl(originalUrl)[0])) return originalUrl;
  return url !== undefined && url !== originalUrl && relay.matches(splitUrl(url)[0]) ? url : undefined;
}

function lastResort(res: ServerResponse): Next {
  return (error) => {
    if (res.headersSent) return void res.destroy();
    if (error === undefined) sendText(res, 404, 'Not found');
    else sendText(res, 500, 'Internal error');
  };
}

function sendText(res: ServerResponse, status: number, body: string): void {
  res.statusCode = status;
  res.setHeader('Content-Type', 'text/plain; charset=utf-8');
  res.end(body);
}
