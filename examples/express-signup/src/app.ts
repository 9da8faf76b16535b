import { randomUUID } from 'node:crypto';
import type { MailRelay } from '@mailrelay/core';
import { mailRelay } from '@mailrelay/express';
import express, { type Express } from 'express';

interface Person {
  readonly name: string;
  readonly email: string;
  readonly reminder: string;
  confirmed: boolean;
}

const DAY_MS = 86_400_000;

/** The application. It takes its relay and its clock, so that tests can bring others. */
export function createApp(relay: MailRelay, now: () => number = Date.now): Express {
  const people = new Map<string, Person>();
  const app = express();
  app.use(mailRelay(relay));
  app.use(express.json());

  app.post('/signup', async (req, res) => {
    const { name, email } = req.body as { name: string; email: string };
    const token = randomUUID();
    const data = { name, url: `${relay.publicUrl}/confirm?token=${token}` };
    await req.mail.send({ to: { name, address: email }, template: 'confirm', data });
    const sendAt = new Date(now() + DAY_MS);
    const { id } = await req.mail.send({ to: { name, address: email }, template: 'reminder', data, sendAt });
    people.set(token, { name, email, reminder: id, confirmed: false });
    res.sendStatus(202);
  });

  app.get('/confirm', async (req, res) => {
    const person = people.get(String(req.query.token));
    if (person === undefined) {
      res.status(404).send('This link is not valid any more.');
      return;
    }
    if (!person.confirmed) await req.mail.messages.cancel(person.reminder).catch(() => 0);
    person.confirmed = true;
    res.send(`Welcome, ${person.name}`);
  });

  app.get('/people', (_req, res) => {
    res.json([...people.values()].map(({ name, confirmed }) => ({ name, confirmed })));
  });

  relay.on('bounced', ({ recipient }) => {
    for (const [token, { email }] of people) if (email === recipient) people.delete(token);
  });
  return app;
}
