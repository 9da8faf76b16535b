import { join } from 'node:path';
import { type MailRelay, smtp, sqlite } from '@mailrelay/core';
import { mailRelay } from '@mailrelay/express';
import express, { type Express } from 'express';

/** What differs between a laptop, a test and a server. */
export interface AppOptions {
  readonly publicUrl: string;
  readonly database: string;
  readonly smtpUrl: string;
  readonly rate: string;
}

/** The application: a relay, mounted first, and a route that sends a mail. */
export function createApp(options: AppOptions): { readonly app: Express; readonly relay: MailRelay } {
  const mail = mailRelay({
    publicUrl: options.publicUrl,
    from: 'Acme Garden <hello@acme.example>',
    store: sqlite(options.database),
    templates: join(import.meta.dirname, '../emails'),
    routes: [smtp(options.smtpUrl, { name: 'local', rate: options.rate })],
    tracking: { streams: { broadcast: { opens: true, clicks: true } } },
    queue: { retryFirstMs: 1000 },
  });

  const app = express();
  app.use(mail);
  app.use(express.json());

  app.get('/', (_req, res) => {
    res.send(`<!doctype html><html lang="en"><title>Acme Garden</title><h1>Acme Garden</h1>
<p>This application sends a newsletter over SMTP. The terminal names links of its mails to try.</p>
<ul><li><a href="/mail/health">Health</a></li>
<li><code>POST /password-reset</code> with <code>{ "email": "ada@example.com", "firstName": "Ada" }</code> sends a mail</li></ul>`);
  });

  app.post('/password-reset', async (req, res) => {
    const { id } = await req.mail.send({
      to: req.body.email,
      template: 'password-reset',
      data: { firstName: req.body.firstName, resetUrl: `${options.publicUrl}/reset/5f1d8c` },
    });
    res.status(202).json({ id });
  });

  return { app, relay: mail.relay };
}
