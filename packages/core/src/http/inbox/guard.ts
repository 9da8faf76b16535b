import { isLoopback } from '../../notices.ts';
import { notFound } from '../answers.ts';
import type { HttpContext } from '../context.ts';
import type { Incoming } from '../port.ts';
import type { Route } from '../route.ts';

/**
 * The inbox answers to this machine's names and the public URL's only: a page of somebody else whose name leads here (DNS
 * rebinding) must not read the mail, and neither must who finds a development server on the network.
 */
export function guarded(route: Route<HttpContext>): Route<HttpContext> {
  return {
    ...route,
    answer: async (context, incoming, params) =>
      isOwnHost(context, incoming) ? route.answer(context, incoming, params) : notFound,
  };
}

function isOwnHost({ publicUrl }: HttpContext, { host }: Incoming): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return isLoopback(name) || name === new URL(publicUrl).hostname;
}
