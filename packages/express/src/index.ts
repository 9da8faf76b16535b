/** Mail Relay for Express: `app.use(mailRelay())`. */
import type { Server } from 'node:http';
import { createMailRelay, type MailRelay, type MailRelayOptions } from '@mailrelay/core';
import { toNodeHandler } from '@mailrelay/core/node';
import type { NextFunction, Request, Response } from 'express';

declare global {
  namespace Express {
    interface Request {
      /** The relay that was mounted last before this handler. */
      mail: MailRelay;
    }
  }
}

/** What `mailRelay()` makes: a request handler that knows its relay. */
export interface MailRelayHandler {
  (req: Request, res: Response, next: NextFunction): void;
  /** The relay behind the handler, for use outside of requests. */
  readonly relay: MailRelay;
  /** Settles when the relay has started, or could not. Requests are served as soon as it has. */
  readonly ready: Promise<void>;
}

/**
 * Mounts a relay in an Express application (4 or 5): serves tracked links, unsubscribe pages and, in development, the
 * inbox, and sets `req.mail`. The relay starts at once, and stops when the server closes.
 *
 * With several in one application, `req.mail` is the one that was mounted last before the route.
 *
 * @param options - options of a new relay, or a relay that exists; that one is started, and stopped with the server, too.
 * @throws MailRelayError for options that cannot be right; see `createMailRelay`.
 * @example
 * app.use(mailRelay({ from: 'Acme <hello@acme.example>' }));
 * app.post('/signup', async (req, res) => {
 *   await req.mail.send({ to: 'ada@example.com', subject: 'Welcome', text: 'Hello Ada' });
 *   res.sendStatus(202);
 * });
 */
export function mailRelay(options: MailRelayOptions | MailRelay = {}): MailRelayHandler {
  const relay = isRelay(options) ? options : createMailRelay(options);
  const serve = toNodeHandler(relay);
  const ready = relay.start();
  let failure: { readonly error: unknown } | undefined;
  ready.catch((error: unknown) => {
    failure = { error };
    const logger = isRelay(options) ? undefined : options.logger;
    const message = 'the mail relay could not start';
    if (logger === undefined) console.error(`mail-relay: ${message}:`, error);
    else logger.error({ error: error instanceof Error ? error.message : String(error) }, message);
  });
  const servers = new Set<Server>();

  function mailRelayHandler(req: Request, res: Response, next: NextFunction): void {
    stopWithServer(req);
    if (failure === undefined) {
      req.mail = relay;
      serve(req, res, next);
    } else {
      next(failure.error);
    }
  }

  function stopWithServer(req: Request): void {
    const server = (req.socket as { server?: Server }).server;
    if (server === undefined || servers.has(server)) return;
    servers.add(server);
    server.once('close', () => {
      servers.delete(server);
      if (servers.size > 0) return;
      relay.stop({ drain: false }).catch((error: unknown) => console.error('mail-relay: could not stop:', error));
    });
  }

  return Object.defineProperties(mailRelayHandler, {
    relay: { value: relay, enumerable: true },
    ready: { value: ready, enumerable: true },
  }) as unknown as MailRelayHandler;
}

function isRelay(options: MailRelayOptions | MailRelay): options is MailRelay {
  return typeof (options as MailRelay).handle === 'function' && typeof (options as MailRelay).send === 'function';
}
