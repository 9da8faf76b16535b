import type { RouteSpec } from '../deliver/port.ts';
import { createFitting, type RoutedMail } from './rules.ts';

/** Names of the routes that take a mail to a recipient's domain, in order of preference; one that the host named is the only one. */
export type TakingRoutes = (
  named: string | undefined,
  mail: () => RoutedMail,
  domain: () => string,
) => readonly string[];

/** Prepares the rules of the routes. What is asked of the mail is only asked where some route has rules. */
export function createTakingRoutes(routes: readonly RouteSpec[]): TakingRoutes {
  const names = routes.map(({ name }) => name);
  const ruled = routes.map(({ name, takes }) => ({ name, fitting: createFitting(takes) }));
  if (ruled.every(({ fitting }) => fitting === undefined)) return (named) => (named === undefined ? names : [named]);
  return (named, mail, domain) => {
    if (named !== undefined) return [named];
    const [asked, to] = [mail(), domain()];
    return ruled
      .filter(({ fitting }) => fitting === undefined || (fitting.mail(asked) && fitting.recipient(asked, to)))
      .map(({ name }) => name);
  };
}
