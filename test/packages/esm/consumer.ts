// Type-checked against the declarations of the packed packages; never run.
import { createMailRelay, isMailRelayError, type MailRelay, smtp, sqlite } from '@mailrelay/core';
import { mailRelay } from '@mailrelay/express';
import express from 'express';

const relay: MailRelay = createMailRelay({
  from: 'hello@example.com',
  publicUrl: 'https://app.example.com',
  store: sqlite(':memory:'),
  routes: [smtp('smtp://127.0.0.1:2525')],
});
relay.on('bounced', (event) => console.log(event.type, event.at.toISOString()));

const app = express();
app.use(mailRelay({ from: 'hello@example.com' }));
app.post('/signup', async (request, response) => {
  try {
    await request.mail.send({ to: 'ada@example.com', subject: 'Welcome', text: 'Hello' });
    response.sendStatus(202);
  } catch (error) {
    response.status(400).send(isMailRelayError(error) ? error.code : 'failed');
  }
});

// @ts-expect-error: a message has no such field
await relay.send({ to: 'ada@example.com', subjct: 'Welcome', text: 'Hello' });
