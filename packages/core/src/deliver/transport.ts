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
      return route.create();
  }
}
