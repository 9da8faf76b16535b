import type { RouteSpec } from '../deliver/port.ts';
import { MailRelayError } from '../errors.ts';

/**
 * The route that a message leaves by: the one it names, else the first.
 *
 * @throws MailRelayError `MESSAGE_INVALID` where no route has the name.
 */
export function chooseRoute(routes: readonly RouteSpec[], name: string | undefined): string {
  if (name === undefined) return (routes[0] as RouteSpec).name;
  if (!routes.some((route) => route.name === name)) {
    const known = routes.map((route) => route.name);
    throw new MailRelayError('MESSAGE_INVALID', {
      field: 'route',
      known,
      reason: `there is no route ${name}; known are ${known.join(', ')}`,
    });
  }
  return name;
}
