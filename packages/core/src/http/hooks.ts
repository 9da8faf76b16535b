import { createHash, timingSafeEqual } from 'node:crypto';
import { isMailRelayError } from '../errors.ts';
import {
  type HookRequest,
  type HookTools,
  MAX_BODY_BYTES,
  usableEvents,
  type WebhookProvider,
} from '../feedback/port.ts';
import { notFound, text } from './answers.ts';
import type { HttpContext } from './context.ts';
import { getText } from './get-text.ts';
import type { Answer, Incoming } from './port.ts';

/** Who is not the provider is not told why. */
const REFUSED = text(401, 'Unauthorized');
const UNREADABLE = text(400, 'Bad request');
const LATER = text(503, 'This could not be recorded', { 'Retry-After': '60' });
/** Mailgun takes a 406 as the end of it; others show it in their log. */
const USED = text(406, 'This has come before');

/** Receives a webhook of a provider: answers when all that it says is durable. */
export async function receiveHook(
  context: HttpContext,
  incoming: Incoming,
  name: string,
  secret: string | undefined,
): Promise<Answer> {
  const provider = context.webhooks.get(name);
  if (provider === undefined) return notFound;
  // Nothing of the body is read before that.
  if (!fits(secret, provider.secret)) return refuse(context, name, 'its path does not end with the secret');
  const header = (one: string): string | undefined => incoming.header(one);
  const early = provider.admit?.({ header });
  if (early?.ok === false) return refuse(context, name, early.because);
  const body = await incoming.body(provider.maxBodyBytes ?? MAX_BODY_BYTES);
  const request: HookRequest = { body, header };
  const unknown = (kind: string): void => context.onUnknown({ provider: name, kind });
  const tools: HookTools = { now: context.now(), get: getText, unknown };
  try {
    return await receive(context, provider, request, tools);
  } catch (error) {
    context.onError(error);
    if (isMailRelayError(error) && error.status === 500) return text(500, 'This could not be recorded');
    return LATER;
  }
}

async function receive(
  context: HttpContext,
  provider: WebhookProvider,
  request: HookRequest,
  tools: HookTools,
): Promise<Answer> {
  const verdict = await provider.verify(request, tools);
  if (!verdict.ok) return refuse(context, provider.name, verdict.because);
  const read: unknown = await provider.read(request, tools);
  if (read === undefined) {
    context.onRefusal({ provider: provider.name, because: 'its body cannot be read' });
    return UNREADABLE;
  }
  const events = usableEvents(provider.name, read, context.onError);
  await provider.confirm?.(request, tools);
  const { engine } = context;
  if (verdict.once === undefined) {
    if (events.length > 0) await engine.receive(events);
    return text(200, 'OK');
  }
  const received = await engine.receiveOnce(`${provider.name} ${verdict.once}`, events);
  if (received !== undefined) return text(200, 'OK');
  context.onRefusal({ provider: provider.name, because: 'its token has come before' });
  return USED;
}

function refuse(context: HttpContext, provider: string, because: string): Answer {
  context.onRefusal({ provider, because });
  return REFUSED;
}

/** In a time that says nothing about the secret. A provider without one has no longer path. */
function fits(given: string | undefined, own: WebhookProvider['secret']): boolean {
  if (own === undefined || given === undefined) return own === given;
  const hash = digest(given);
  const right = [own].flat().map((one) => timingSafeEqual(hash, digest(one)));
  return right.includes(true);
}

function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}
