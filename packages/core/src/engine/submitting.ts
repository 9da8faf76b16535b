import type { Composer } from '../compose/port.ts';
import type { RouteSpec } from '../deliver/port.ts';
import { ERRORS, isMailRelayError } from '../errors.ts';
import type { MessageEvent } from '../events.ts';
import {
  type AcceptedDelivery,
  type Content,
  decodeId,
  encodeId,
  type Submission,
  type SubmittedRecipient,
} from '../message.ts';
import { chooseRoute } from '../route/choose.ts';
import type { Store } from '../store/port.ts';
import type { BulkResult, EngineApi } from '../thread/port.ts';

/** What submitting works with. */
export interface SubmittingContext {
  readonly store: Pick<Store, 'intake' | 'log'>;
  readonly composer: Composer;
  readonly routes: readonly RouteSpec[];
  publish(events: readonly MessageEvent[]): void;
  wake(): void;
}

/** What appending needs to know of an opened message. */
interface OpenMessage {
  readonly content: Content;
  readonly campaign: string | undefined;
  readonly tags: readonly string[];
}

/** Messages on their way in: checked, then stored. */
export function createSubmitting(
  context: SubmittingContext,
): Pick<EngineApi, 'check' | 'accept' | 'openBulk' | 'appendBulk' | 'closeBulk'> {
  const { store, composer, publish, wake } = context;
  const open = new Map<string, OpenMessage>();

  function announce(messageId: string, message: OpenMessage, deliveries: readonly AcceptedDelivery[]): void {
    publish(deliveries.map(({ id, recipient, state }) => acceptedEvent(messageId, message, id, recipient, state)));
  }

  async function check({ route, content, recipients }: Submission): Promise<string> {
    const chosen = chooseRoute(context.routes, route);
    for (const recipient of recipients) await composer.check(content, recipient);
    return chosen;
  }

  return {
    async check(submission) {
      await check(submission);
    },
    async accept(given) {
      const routeName = await check(given);
      const { route: _, ...submission } = given;
      const accepted = await store.intake.accept({ ...submission, route: routeName, now: Date.now() });
      if (!accepted.repeated) {
        announce(accepted.id, submission, accepted.deliveries);
        wake();
      }
      return accepted;
    },
    async openBulk({ route, ...submission }: Omit<Submission, 'recipients'>) {
      const opened = await store.intake.open({
        ...submission,
        route: chooseRoute(context.routes, route),
        now: Date.now(),
      });
      open.set(opened.id, { content: submission.content, campaign: submission.campaign, tags: submission.tags });
      return opened;
    },
    async appendBulk(id, recipients): Promise<BulkResult[]> {
      const message = open.get(id);
      if (message === undefined) throw new TypeError(`appendBulk() before openBulk(): ${id}`);
      const refused = new Map<number, BulkResult>();
      const fit: SubmittedRecipient[] = [];
      for (const [index, recipient] of recipients.entries()) {
        try {
          await composer.check(message.content, recipient);
          fit.push(recipient);
        } catch (error) {
          if (!isMailRelayError(error)) throw error;
          refused.set(index, { rejected: { code: error.code, message: error.message } });
        }
      }
      const appended = await store.intake.append(id, fit, { now: Date.now() });
      const accepted = appended.flatMap((one, index): AcceptedDelivery[] =>
        'rejected' in one ? [] : [{ ...one, recipient: (fit[index] as SubmittedRecipient).address }],
      );
      announce(id, message, accepted);
      wake();
      const stored = appended.values();
      return recipients.map((_, index) => refused.get(index) ?? bulkResult(stored.next().value));
    },
    async closeBulk(id) {
      open.delete(id);
    },
  };
}

function bulkResult(appended: Awaited<ReturnType<Store['intake']['append']>>[number] | undefined): BulkResult {
  if (appended === undefined) throw new TypeError('the store answered fewer results than recipients');
  if ('rejected' in appended)
    return { rejected: { code: 'RECIPIENT_DUPLICATE', message: ERRORS.RECIPIENT_DUPLICATE.message } };
  return appended;
}

function acceptedEvent(
  messageId: string,
  message: OpenMessage,
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
