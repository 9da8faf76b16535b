import { createMailRelay, smtp, sqlite } from '@mailrelay/core';
import { toNodeHandler } from '@mailrelay/core/node';
import { mailRelay } from '@mailrelay/express';

for (const entry of [toNodeHandler, mailRelay]) {
  if (typeof entry !== 'function') throw new Error('An entry of the packages has no function');
}

const relay = createMailRelay({
  from: 'hello@example.com',
  publicUrl: 'http://localhost:3000',
  store: sqlite(':memory:'),
  routes: [smtp(process.env.SMTP_URL)],
});
await relay.start();
await relay.send({ to: 'ada@example.com', subject: 'Hello from esm', text: 'Hello' });
await relay.stop({ drain: true });
