import type { RouteSpec } from '../deliver/port.ts';
import { labelsProblem, mostBytesOf } from '../deliver/providers/limits.ts';
import { providerOf } from '../deliver/providers/table.ts';
import { type Content, LONGEST_DELIVERY_ID } from '../message.ts';

/** What providers have limits for. */
export interface LimitedMail {
  readonly content: Pick<Content, 'stream' | 'headers' | 'tracking'>;
  labels(): { readonly campaign: string | undefined; readonly tags: readonly string[] };
}

/**
 * Whether the provider behind a route takes a mail with its tags, campaign and headers, and of its size, bytes, where that is
 * known. Accepted mail was checked for its first route only. Routes without a provider take all, as far as is known here.
 */
export type ProviderFit = (route: string, mail: LimitedMail, bytes: number | undefined) => boolean;

export function createProviderFit(routes: readonly RouteSpec[]): ProviderFit {
  const limited = new Map(
    routes.filter((route) => providerOf(route) !== undefined).map((route) => [route.name, route]),
  );
  return (name, { content, labels }, bytes) => {
    const route = limited.get(name);
    if (route === undefined) return true;
    if (bytes !== undefined && bytes > (mostBytesOf(route) ?? Number.POSITIVE_INFINITY)) return false;
    const { stream, tracking, headers } = content;
    const told = { ...labels(), stream, deliveryId: LONGEST_DELIVERY_ID, tracking };
    return labelsProblem(route, told, headers) === undefined;
  };
}
