const { createMailRelay, smtp, sqlite } = require('@mailrelay/core');
const { toNodeHandler } = require('@mailrelay/core/node');
const { mailRelay } = require('@mailrelay/express');

for (const entry of [toNodeHandler, mailRelay]) {
  if (typeof entry !== 'function') throw new Error('An entry of the packages has no function');
}

async function main() {
  const relay = createMailRelay({
    from: 'hello@example.com',
    publicUrl: 'http://localhost:3000',
    store: sqlite(':memory:'),
    routes: [smtp(process.env.SMTP_URL)],
  });
  await relay.start();
  await relay.send({ to: 'ada@example.com', subject: 'Hello from commonjs', text: 'Hello' });
  await relay.stop({ drain: true });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
