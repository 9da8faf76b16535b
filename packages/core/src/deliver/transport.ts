import type { BlobStore } from '../store/port.ts';
import { createCaptureTransport } from './capture.ts';
import type { RouteSpec, Transport } from './port.ts';
import { createSmtpTransport } from './smtp/transport.ts';

/** The transport that a route describes. */
export function createTransport(
  route: RouteSpec,
  context: { readonly blobs: Pick<BlobStore, 'put' | 'trim'> },
): Transport {
  switch (route.kind) {
    case 'smtp':
      return createSmtpTransport(route.name, route.smtp);
    case 'capture':
      return createCaptureTransport(route.name, route.keep, context.blobs);
    case 'custom':
      return begun(route.name, route.create());
  }
}

/** Whoever writes a transport need not know of `onStart`: it is called before. */
function begun(route: string, transport: Transport): Transport {
  return {
    async send({ onStart, ...mail }) {
      const startedAt = Date.now();
      if (onStart?.(startedAt) === false)
        return { outcome: { type: 'withdrawn' }, transcript: { route, startedAt, ms: 0, steps: [] } };
      return transport.send(mail);
    },
    close: () => transport.close(),
  };
}
