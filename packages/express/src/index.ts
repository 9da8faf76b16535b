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

/** A start that failed is tried again with the next request after this time. */
const RETRY_MS = 5000;

/**
 * Mounts a relay in an Express application (4 or 5): serves tracked links, unsubscribe pages and, in development, the
 * inbox, and sets `req.mail`. The relay starts at once, and stops when the last server that sent it requests closes.
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
  const logger = isRelay(options) ? undefined : options.logger;
  const serve = toNodeHandler(relay);
  const servers = new Set<Server>();
  let failure: { readonly error: unknown; readonly at: number } | undefined;
  let stopped = false;
  // The server keeps the process alive, not the relay: it ends with a server that closes before its first request, too.
  relay.keepAlive(false);
  const ready = start();
  ready.catch(() => {});

  function start(): Promise<void> {
    stopped = false;
    failure = undefined;
    return relay.start().catch((error: unknown) => {
      failure = { error, at: Date.now() };
      report('the mail relay could not start', error);
      throw error;
    });
  }

  function report(message: string, error: unknown): void {
    if (logger === undefined) console.error(`mail-relay: ${message}:`, error);
    else logger.error({ error: error instanceof Error ? error.message : String(error) }, message);
  }

  function mailRelayHandler(req: Request, res: Response, next: NextFunction): void {
    stopWithServer(req);
    // A new server after the last one closed, as in tests that listen per request; or a fault that may be mended by now.
    if (stopped || (failure !== undefined && Date.now() - failure.at >= RETRY_MS)) start().catch(() => {});
    if (failure !== undefined) {
      next(failure.error);
      return;
    }
    req.mail = relay;
    serve(req, res, next);
  }

  function stopWithServer(req: Request): void {
    const server = (req.socket as { server?: Server }).server;
    if (server === undefined || servers.has(server)) return;
    servers.add(server);
    server.once('close', () => {
      servers.delete(server);
      if (servers.size > 0) return;
      stopped = true;
      relay.stop({ drain: false }).catch((error: unknown) => report('the mail relay could not stop', error));
    });
  }

  return Object.defineProperties(mailRelayHandler, {
    relay: { value: relay, enumerable: true },
    ready: { value: ready, enumerable: true },
  }) as unknown as MailRelayHandler;
}

function isRelay(options: MailRelayOptions | MailRelay): options is MailRelay {
  const { handle, send } = Object(options) as Partial<MailRelay>;
  return typeof handle === 'function' && typeof send === 'function';
}
