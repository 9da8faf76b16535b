/** A process with a subscription that writes down what it handles, until it is killed: file of the store, file of the notes, mode. */
import { appendFileSync } from 'node:fs';
import { capture, createMailRelay } from '../../../packages/core/src/index.ts';

const [store, notes, mode, count] = process.argv.slice(2) as [string, string, string, string | undefined];

const relay = createMailRelay({
  from: 'app@example.com',
  store,
  routes: [capture()],
  secret: 'a secret of enough length',
  queue: { leaseMs: mode === 'hang' ? 1500 : 15_000 },
});
relay.subscribe('audit', { types: ['accepted'] }, async (event) => {
  appendFileSync(notes, `begin ${event.id} ${event.recipient}\n`);
  if (mode === 'hang') await new Promise(() => setInterval(() => {}, 1000));
  appendFileSync(notes, `end ${event.id} ${event.recipient}\n`);
});
await relay.start();
console.log('ready');
for (let index = 0; index < Number(count ?? 0); index++)
  await relay.send({ to: `${process.pid}.${index}@example.com`, subject: 'Hello', text: 'Hello' });
