import { isMailRelayError, MailRelayError } from '@mailrelay/core';
import { type NodeHandler, toNodeHandler } from '@mailrelay/core/node';
import type { INestApplicationContext } from '@nestjs/common';
import { getMailRelayToken } from './inject-mail-relay.ts';
import type { MailRelayService } from './mail-relay.service.ts';

const FIX =
  'let MailRelayModule mount itself, or call app.use(mailRelayHandler(app)) right after NestFactory.create(), before any ' +
  'body parser of your own; NestFactory.create(AppModule, { rawBody: true }) keeps the bytes as well';

/** The routes of a relay as middleware, with Nest's words for what can be wrong in Nest. */
export function createHandler(relay: MailRelayService): NodeHandler {
  const serve = toNodeHandler(relay);
  return function mailRelayNestHandler(req, res, next) {
    serve(req, res, next && ((error) => next(explained(error))));
  };
}

/**
 * The routes of a relay, to mount in `main.ts` where the module has `autoMount: false`.
 *
 * @param name - the relay's name; none for the one without a name.
 * @example
 * const app = await NestFactory.create(AppModule);
 * app.use(helmet(), mailRelayHandler(app));
 */
export function mailRelayHandler(app: INestApplicationContext, name?: string): NodeHandler {
  return createHandler(app.get<MailRelayService>(getMailRelayToken(name), { strict: false }));
}

function explained(error: unknown): unknown {
  if (!isMailRelayError(error) || error.code !== 'BODY_CONSUMED') return error;
  return new MailRelayError('BODY_CONSUMED', { ...error.details, reason: FIX }, { cause: error });
}
