import type { HttpContext } from './context.ts';
import { health } from './health.ts';
import { receiveHook } from './hooks.ts';
import { inboxRoutes } from './inbox/routes.ts';
import { clicked, opened } from './read.ts';
import { type Route, route } from './route.ts';
import { confirmUnsubscribe, unsubscribe } from './unsubscribe.ts';
import { viewInBrowser } from './view.ts';

const PUBLIC: readonly Route<HttpContext>[] = [
  route('GET', '/o/:token.gif', (context, incoming, { token }) => opened(context, incoming, token)),
  route('GET', '/o/:token', (context, incoming, { token }) => opened(context, incoming, token)),
  route('GET', '/c/:link.:clicker', (context, incoming, { link, clicker }) =>
    clicked(context, incoming, link, clicker),
  ),
  route('GET', '/u/:token', (context, incoming, { token }) => confirmUnsubscribe(context, incoming, token)),
  route('POST', '/u/:token', (context, incoming, { token }) => unsubscribe(context, incoming, token)),
  route('GET', '/v/:token', (context, _incoming, { token }) => viewInBrowser(context, token)),
  route('POST', '/hooks/:provider', (context, incoming, { provider }) =>
    receiveHook(context, incoming, provider, undefined),
  ),
  route('POST', '/hooks/:provider/:secret', (context, incoming, { provider, secret }) =>
    receiveHook(context, incoming, provider, secret),
  ),
  route('GET', '/health', (context) => health(context)),
];

/** Everything under the path of the relay. The inbox shows the mail of everybody, so that production does not have it. */
export function routesFor(environment: 'development' | 'production'): readonly Route<HttpContext>[] {
  return environment === 'development' ? [...PUBLIC, ...inboxRoutes] : PUBLIC;
}
