import { isMailRelayError } from '../errors.ts';
import { anyText, check, rule } from '../rules.ts';
import { text } from './answers.ts';
import type { HttpContext, RouterOptions } from './context.ts';
import { type Answer, type Answering, bindHandling, type Handling, type Incoming } from './port.ts';
import { type Found, routeFinder } from './route.ts';
import { routesFor } from './routes.ts';
import { seldom } from './seldom.ts';
import { fromRequest, toResponse } from './web.ts';

export type { HttpEngine, RouterOptions } from './context.ts';

/** Answers requests under the public URL's path and the option `path`, and under the latter alone, where a proxy has cut the rest off. */
export interface Router {
  readonly handle: Handling;
  /** Whether a path is one of ours; nothing of the request is touched to find out. */
  readonly matches: (pathname: string) => boolean;
}

/** By its parts, as libraries and other realms have classes of their own. */
const REQUEST = rule((value) => {
  const { url, method, headers } = Object(value) as Partial<Request>;
  return (
    typeof url === 'string' && URL.canParse(url) && typeof method === 'string' && typeof headers?.get === 'function'
  );
}, 'must be a web-standard Request; toNodeHandler() of @mailrelay/core/node serves node:http');

/** Makes the router over the route table. */
export function createRouter(deps: RouterOptions): Router {
  const find = routeFinder(routesFor(deps.options.environment));
  const prefixes = prefixesOf(deps.options);
  const { publicUrl, from, webhooks } = deps.options;
  const onRefusal = seldom(deps.onRefusal, deps.now);
  const onUnknown = seldom(deps.onUnknown, deps.now);
  const context: HttpContext = { ...deps, onRefusal, onUnknown, publicUrl, from, webhooks };

  function lookUp(pathname: string): Found<HttpContext> | undefined {
    for (const prefix of prefixes) {
      if (!pathname.startsWith(prefix)) continue;
      const found = find(pathname.slice(prefix.length));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  const answering: Answering = async (incoming) => {
    const found = lookUp(incoming.pathname);
    return found && answerBy(context, found, incoming);
  };
  const handle: Handling = async (request) => {
    check(REQUEST, request, 'request');
    const answer = await answering(fromRequest(request));
    return answer && toResponse(answer, request.method);
  };
  const matches = (pathname: string): boolean => {
    check(anyText, pathname, 'pathname');
    return lookUp(pathname) !== undefined;
  };
  return { handle: bindHandling(handle, answering), matches };
}

async function answerBy(
  context: HttpContext,
  { routes, params }: Found<HttpContext>,
  incoming: Incoming,
): Promise<Answer> {
  const method = incoming.method === 'HEAD' ? 'GET' : incoming.method;
  const line = routes.find((candidate) => candidate.method === method);
  if (line === undefined) {
    const allowed = routes.flatMap((candidate) => (candidate.method === 'GET' ? ['GET', 'HEAD'] : [candidate.method]));
    return text(405, 'Method not allowed', { Allow: allowed.join(', ') });
  }
  try {
    return await line.answer(context, incoming, params);
  } catch (error) {
    if (isMailRelayError(error) && error.code === 'BODY_TOO_LARGE')
      return text(413, 'Too large', { Connection: 'close' });
    throw error;
  }
}

function prefixesOf({ publicUrl, path }: RouterOptions['options']): readonly string[] {
  const own = new URL(publicUrl).pathname.replace(/\/+$/, '') + path;
  return own === path ? [own] : [own, path];
}
