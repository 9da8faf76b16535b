/** A process that delivers from a store to an SMTP server on this machine until it is killed. */
import { createMailRelay, smtp } from '../../packages/core/src/index.ts';

const relay = createMailRelay({
  from: 'app@example.com',
  secret: 'a secret of enough length',
  publicUrl: 'https://mail.example.com',
  store: process.argv[2] as string,
  routes: [smtp({ host: '127.0.0.1', port: Number(process.argv[3]) }, { name: 'out' })],
  queue: { leaseMs: 1500 },
});
await relay.start();
