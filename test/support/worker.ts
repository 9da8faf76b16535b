/** A process that delivers from a store until it is killed. */
import { capture, createMailRelay } from '../../packages/core/src/index.ts';

const relay = createMailRelay({
  from: 'app@example.com',
  store: process.argv[2] as string,
  routes: [capture({ rate: '300/s' })],
  queue: { leaseMs: 1500 },
});
await relay.start();
