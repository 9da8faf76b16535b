import type { Clock } from '../clock.ts';
import { hintOf } from '../deliver/hints.ts';
import type { RouteSpec, Transport } from '../deliver/port.ts';
import { MailRelayError, messageOf } from '../errors.ts';
import { refuse } from '../rules.ts';
import type { EngineApi, RouteCheck } from '../thread/port.ts';
import type { VerifyOptions } from '../verify-options.ts';

/** Whether a route goes to servers by the domain of the recipient, or may do. */
const takesDomain = ({ kind }: RouteSpec): boolean => kind === 'mx' || kind === 'custom';

/** Tries routes without a mail. */
export function createVerifying(context: {
  readonly routes: readonly RouteSpec[];
  readonly clock: Pick<Clock, 'now'>;
  transport(route: RouteSpec): Transport;
}): Pick<EngineApi, 'verifyRoutes'> {
  async function verify(route: RouteSpec, options: VerifyOptions): Promise<RouteCheck> {
    const since = performance.now();
    const base = {
      route: route.name,
      host: route.kind === 'smtp' ? route.smtp.host : undefined,
      port: route.kind === 'smtp' ? route.smtp.port : undefined,
    };
    const ms = (): number => Math.round(performance.now() - since);
    try {
      const transport = context.transport(route);
      if (transport.verify === undefined)
        return { ...base, ok: true, checked: false, tls: undefined, ms: ms(), steps: [], failure: undefined };
      const { ok, tls, steps, failure } = await transport.verify(takesDomain(route) ? options : {});
      const explained = failure && { ...failure, hint: hintOf(route, failure) };
      return { ...base, ok, checked: true, tls, ms: ms(), steps, failure: explained };
    } catch (error) {
      // Of a transport that the host wrote.
      const failure = {
        step: 'verify',
        reply: messageOf(error),
        reason: 'system',
        hint: 'its verify() failed',
      } as const;
      return { ...base, ok: false, checked: true, tls: undefined, ms: ms(), steps: [], failure };
    }
  }

  return {
    async verifyRoutes(name, options) {
      const chosen = context.routes.filter((route) => name === undefined || route.name === name);
      if (chosen.length === 0)
        throw noSuchRoute(
          name ?? '',
          context.routes.map((route) => route.name),
        );
      if (options.domain !== undefined && !chosen.some(takesDomain))
        refuse(
          'verify().domain',
          'is for routes straight to mail servers, of directMx(): leave it out, or name such a route',
        );
      return Promise.all(chosen.map((route) => verify(route, options)));
    },
  };
}

/** Says which routes there are, where none has the name. */
export function noSuchRoute(name: string, known: readonly string[]): MailRelayError {
  const reason = `there is no route ${name}; known are ${known.join(', ')}`;
  return new MailRelayError('OPTIONS_INVALID', { option: 'route', known, reason });
}
