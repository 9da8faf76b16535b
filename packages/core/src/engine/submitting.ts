import { domainOf } from '../address.ts';
import type { Clock } from '../clock.ts';
import type { Composer } from '../compose/port.ts';
import type { RouteSpec } from '../deliver/port.ts';
import { checkLabels, demandsOf } from '../deliver/providers/limits.ts';
import { providerOf } from '../deliver/providers/table.ts';
import { ERRORS, isMailRelayError } from '../errors.ts';
import type { MessageEvent } from '../events.ts';
import {
  type Accepted,
  type AcceptedDelivery,
  type Content,
  decodeId,
  encodeId,
  LONGEST_DELIVERY_ID,
  type Submission,
  type SubmittedRecipient,
} from '../message.ts';
import { createChooseRoute, type KnownSite, type Way } from '../route/choose.ts';
import type { Appended, Enclosures, Store } from '../store/port.ts';
import type { BulkResult, EngineApi } from '../thread/port.ts';

/** What submitting works with. */
export interface SubmittingContext {
  readonly store: Pick<Store, 'intake' | 'log'>;
  readonly composer: Composer;
  readonly routes: readonly RouteSpec[];
  readonly clock: Pick<Clock, 'now'>;
  /** Undefined where no route has rules by site. */
  readonly siteOf: KnownSite | undefined;
  publish(events: readonly MessageEvent[]): void;
  wake(): void;
}

/** What appending needs to know of an opened message. */
interface OpenMessage {
  readonly id: string;
  /** Under an idempotency key there may have been other runs. */
  readonly keyed: boolean;
  readonly content: Content;
  readonly campaign: string | undefined;
  readonly tags: readonly string[];
  readonly way: Way;
}

/** What events say of a message. */
type Announced = Pick<OpenMessage, 'content' | 'campaign' | 'tags'>;

/** What the store does not take, as it is reported. */
const REJECTIONS = {
  duplicate: { code: 'RECIPIENT_DUPLICATE', message: ERRORS.RECIPIENT_DUPLICATE.message },
  conflict: {
    code: 'IDEMPOTENCY_CONFLICT',
    message: `${ERRORS.IDEMPOTENCY_CONFLICT.message}: this recipient was accepted before with other data`,
  },
} as const satisfies Record<Extract<Appended, { rejected: unknown }>['rejected'], unknown>;

/** Messages on their way in: checked, then stored. */
export function createSubmitting(
  context: SubmittingContext,
): Pick<EngineApi, 'accept' | 'acceptWith' | 'openBulk' | 'appendBulk' | 'closeBulk'> {
  const { store, composer, clock, publish, wake } = context;
  const choose = createChooseRoute(context.routes, context.siteOf);
  const presets = new Map(
    context.routes.filter((route) => providerOf(route) !== undefined).map((route) => [route.name, route]),
  );
  const runs = new Map<number, OpenMessage>();
  let lastRun = 0;

  function announce(messageId: string, message: Announced, deliveries: readonly AcceptedDelivery[]): void {
    publish(deliveries.map(({ id, recipient, state }) => acceptedEvent(messageId, message, id, recipient, state)));
  }

  function wayOf({ route, content, campaign, tags }: Omit<Submission, 'recipients'>): Way {
    const way = choose(route, { stream: content.stream, senderDomain: domainOf(content.from.address), campaign, tags });
    // What a provider does not take is known before there are recipients.
    if (way.same) checkPreset(way.route, { content, campaign, tags });
    return way;
  }

  /** What the preset of a route asks of a mail; undefined where it has none. */
  function checkPreset(name: string, { content, campaign, tags }: Announced, recipient?: SubmittedRecipient) {
    const route = presets.get(name);
    if (route === undefined) return undefined;
    const { stream, tracking } = content;
    const labels = {
      deliveryId: LONGEST_DELIVERY_ID,
      campaign,
      tags,
      stream,
      tracking: {
        opens: recipient?.tracking?.opens ?? tracking.opens,
        clicks: recipient?.tracking?.clicks ?? tracking.clicks,
      },
    };
    checkLabels(route, labels, content.headers);
    return demandsOf(route, labels);
  }

  /** The route of a recipient, once it is known that the mail can be composed and that the route takes it. */
  async function routeFor(message: Announced, way: Way, recipient: SubmittedRecipient): Promise<string> {
    const route = way.routeTo(recipient.address);
    await composer.check(message.content, recipient, checkPreset(route, message, recipient));
    return route;
  }

  async function accept(given: Submission, enclosed?: Enclosures): Promise<Accepted> {
    const way = wayOf(given);
    const routes: string[] = [];
    for (const recipient of given.recipients) routes.push(await routeFor(given, way, recipient));
    const { route: _, ...submission } = given;
    const input = { ...submission, route: way.route, routes, now: clock.now() };
    const accepted = await store.intake.accept(input, enclosed, wake);
    if (!accepted.repeated) announce(accepted.id, submission, accepted.deliveries);
    return accepted;
  }

  return {
    accept: (submission) => accept(submission),
    acceptWith: accept,
    async openBulk(given, enclosed) {
      const way = wayOf(given);
      const { route: _, ...submission } = given;
      const opened = await store.intake.open({ ...submission, route: way.route, now: clock.now() }, enclosed);
      const { content, campaign, tags, idempotencyKey } = submission;
      lastRun += 1;
      runs.set(lastRun, { id: opened.id, keyed: idempotencyKey !== undefined, content, campaign, tags, way });
      return { ...opened, run: lastRun };
    },
    async appendBulk(run, recipients): Promise<BulkResult[]> {
      const message = runs.get(run);
      if (message === undefined) throw new TypeError(`appendBulk() before openBulk(): ${run}`);
      const refused = new Map<number, BulkResult>();
      const fit: SubmittedRecipient[] = [];
      const routes: string[] = [];
      for (const [index, recipient] of recipients.entries()) {
        try {
          routes.push(await routeFor(message, message.way, recipient));
          fit.push(recipient);
        } catch (error) {
          if (!isMailRelayError(error)) throw error;
          refused.set(index, { rejected: { code: error.code, message: error.message } });
        }
      }
      const { id } = message;
      const appended = await store.intake.append(id, fit, {
        now: clock.now(),
        run: message.keyed ? run : undefined,
        routes,
      });
      const accepted = appended.flatMap((one, index): AcceptedDelivery[] =>
        'rejected' in one || one.repeated
          ? []
          : [{ id: one.id, state: one.state, recipient: (fit[index] as SubmittedRecipient).address }],
      );
      announce(id, message, accepted);
      wake();
      const stored = appended.values();
      return recipients.map((_, index) => refused.get(index) ?? bulkResult(stored.next().value));
    },
    async closeBulk(run) {
      const message = runs.get(run);
      runs.delete(run);
      if (message?.keyed === true) await store.intake.endRun(run);
    },
  };
}

function bulkResult(appended: Awaited<ReturnType<Store['intake']['append']>>[number] | undefined): BulkResult {
  if (appended === undefined) throw new TypeError('the store answered fewer results than recipients');
  if ('rejected' in appended) return { rejected: REJECTIONS[appended.rejected] };
  return { id: appended.id, state: appended.state };
}

function acceptedEvent(
  messageId: string,
  message: Announced,
  deliveryId: string,
  recipient: string,
  state: string,
): MessageEvent {
  const base = {
    id: encodeId('evt', decodeId('dlv', deliveryId) ?? 0),
    at: new Date(),
    messageId,
    deliveryId,
    recipient,
    stream: message.content.stream,
    campaign: message.campaign,
    tags: message.tags,
  };
  return state === 'suppressed'
    ? { ...base, type: 'suppressed', reason: 'on the suppression list' }
    : { ...base, type: 'accepted' };
}
