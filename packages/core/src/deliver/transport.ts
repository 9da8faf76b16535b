import type { Clock } from '../clock.ts';
import { type CaptureContext, createCaptureTransport } from './capture.ts';
import type { Resolver } from './mx/resolver.ts';
import { createMxTransport } from './mx/transport.ts';
import type { RouteSpec, Transport } from './port.ts';
import { providerOf } from './providers/table.ts';
import { createSmtpTransport } from './smtp/transport.ts';

type Verify = NonNullable<Transport['verify']>;

/** The transport that a route describes. */
export function createTransport(
  route: RouteSpec,
  context: CaptureContext & { readonly resolver?: Resolver | undefined },
): Transport {
  switch (route.kind) {
    case 'smtp':
      return withProviderId(route, createSmtpTransport(route.name, route.smtp, context.clock));
    case 'mx':
      return createMxTransport(route.name, route.mx, { clock: context.clock, resolver: context.resolver });
    case 'capture':
      return createCaptureTransport(route, context);
    case 'custom':
      return begun(route.name, route.create(), context.clock);
  }
}

/** Keeps the id that the provider gave a mail. */
function withProviderId(route: RouteSpec, transport: Transport): Transport {
  const provider = providerOf(route);
  if (provider === undefined) return transport;
  return {
    ...transport,
    async send(mail) {
      const { outcome, transcript } = await transport.send(mail);
      if (outcome.type !== 'sent') return { outcome, transcript };
      const providerId = provider.replyId(outcome.reply);
      return { outcome: providerId === undefined ? outcome : { ...outcome, providerId }, transcript };
    },
  };
}

/** Whoever writes a transport need not know of `onStart`: it is called before. */
function begun(route: string, transport: Transport, clock: Clock): Transport {
  return {
    async send({ onStart, ...mail }) {
      const startedAt = clock.now();
      if (onStart?.(startedAt) === false)
        return { outcome: { type: 'withdrawn' }, transcript: { route, startedAt, ms: 0, steps: [] } };
      return transport.send(mail);
    },
    ...(transport.verify === undefined ? {} : { verify: (options) => (transport.verify as Verify)(options) }),
    close: () => transport.close(),
  };
}
