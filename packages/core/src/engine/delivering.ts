import { domainOf } from '../address.ts';
import type { Clock } from '../clock.ts';
import type { Composer, RouteDemands } from '../compose/port.ts';
import { toSettlement } from '../deliver/outcome.ts';
import type { Outcome, RouteSpec, Transport } from '../deliver/port.ts';
import { demandsOf } from '../deliver/providers/limits.ts';
import { providerOf } from '../deliver/providers/table.ts';
import { isMailRelayError, messageOf } from '../errors.ts';
import type { ReasonClass } from '../events.ts';
import { type Content, encodeId } from '../message.ts';
import type { LocalQueueOptions } from '../queue/local-options.ts';
import type { ClaimedDelivery, Settlement } from '../queue/port.ts';
import { nextAttemptAt, type RetrySchedule } from '../queue/retry.ts';
import { scopesCovering } from '../scope.ts';
import type { Store } from '../store/port.ts';
import type { HostApi } from '../thread/port.ts';
import type { ReturnPaths } from './return-paths.ts';
import type { RouteFaults } from './route-faults.ts';
import type { Shaping } from './shaping.ts';
import type { SiteTurn, SiteWays } from './site-ways.ts';
import { isForSender, type Warnings } from './warnings.ts';
import type { OtherWay, Way, Ways } from './ways.ts';

/** What delivering works with. */
export interface DeliveringContext {
  readonly store: Pick<Store, 'log' | 'suppressions'>;
  readonly composer: Composer;
  readonly transports: ReadonlyMap<string, Transport>;
  readonly routes: readonly RouteSpec[];
  readonly schedule: RetrySchedule;
  readonly faults: Pick<RouteFaults, 'note'>;
  readonly warnings: Pick<Warnings, 'note'>;
  readonly returnPaths: ReturnPaths;
  /** The site behind a domain, for mail whose lane has none. */
  siteOf(domain: string): string | undefined;
  readonly ways: Ways;
  /** Undefined where no route has rules by site. */
  readonly siteWays: Pick<SiteWays, 'turn'> | undefined;
  readonly shaping: Pick<Shaping, 'receiverOf' | 'note'>;
  readonly log: HostApi['log'];
  readonly clock: Pick<Clock, 'now'>;
}

/** A mail keeps its place so long for the DNS to say the site of its recipient, then comes again after a while, ms. */
const PATIENCE_MS = 200;
const ASKED_MS = 1000;

/** A mail that is sent goes nowhere else. */
const ARRIVED = { next: undefined, later: undefined, ailing: false } as const;

type Deliver = LocalQueueOptions['deliver'];

/** One attempt of one claimed delivery: suppression, composing, sending, and what follows from the answer. */
export function createDelivering(context: DeliveringContext): Deliver {
  const { store, composer, transports, schedule, faults, returnPaths, ways, shaping, log, clock } = context;

  const providers = new Map(
    context.routes.filter((route) => providerOf(route) !== undefined).map((route) => [route.name, route]),
  );

  return async function deliver(claimed, route, on): Promise<Settlement> {
    const unsent = { deliveryId: claimed.id, startedAt: undefined, transcript: undefined };
    let way: Way | undefined;
    try {
      const content = await store.log.content(claimed.messageId);
      const transport = transports.get(route);
      if (content === undefined || transport === undefined) {
        const reply = content === undefined ? 'its content is gone' : `its route ${route} is gone`;
        return { ...unsent, result: { type: 'failed', reply, status: undefined, reason: 'system' } };
      }
      const { address, messageId, inDoubt } = claimed;
      const entering = { content, address, inDoubt, labels: () => store.log.labels(messageId) };
      const away = ways.astray(route, entering, clock.now());
      if (away !== undefined) return { ...unsent, result: { type: 'returned', movedTo: away } };
      const turn = await context.siteWays?.turn(route, entering, PATIENCE_MS);
      const turned = turn && resultOf(turn, claimed);
      if (turned !== undefined) return { ...unsent, result: turned };
      if (claimed.overflowUntil !== undefined) {
        const beyond = ways.beyond(route, entering, clock.now()) ?? { dueAt: claimed.overflowUntil };
        return { ...unsent, result: { type: 'returned', ...beyond } };
      }
      way = ways.enter(route, entering, clock.now());
      if (way.closed !== undefined) return { ...unsent, result: waitsFor(route, way.closed, claimed) };
      let withdrawn: string | undefined;
      let bytes: number | undefined;
      const attempt = await way.watch(async () => {
        const mail = await composer.compose(content, claimed, demandsOn(route, content, claimed));
        bytes = mail.raw.length;
        returnPaths.note(route, content.from.address, mail.envelopeFrom);
        return transport.send({
          deliveryId: encodeId('dlv', claimed.id),
          messageId: mail.messageId,
          envelope: {
            from: mail.envelopeFrom,
            to: claimed.address,
            utf8: mail.utf8,
            eightBit: mail.eightBit,
            requireTls: content.requireTls,
          },
          raw: mail.raw,
          subject: mail.subject,
          stream: content.stream,
          site: shaping.receiverOf(route, claimed),
          onStart(at) {
            // Asked as late as possible, so that an unsubscribe also stops mail that waits for a connection.
            withdrawn = suppressionOf(content, claimed);
            return withdrawn === undefined && on.onStart(at);
          },
          onMessage: on.onMessage,
        });
      });
      const now = clock.now();
      faults.note(route, claimed.id, attempt.outcome, now);
      warn(route, claimed, attempt.outcome);
      const freeAddress = shaping.note(route, claimed, content.stream, attempt);
      const { next, later, ailing } = attempt.outcome.type === 'sent' ? ARRIVED : way.onward(now, bytes);
      return toSettlement({
        claimed,
        attempt,
        withdrawn,
        retryAt: ({ reason, retryAfterMs }) => retryAt(claimed, reason, now, retryAfterMs),
        next,
        later,
        elsewhere: (freeAddress && isSoft(attempt.outcome)) || (ailing && isOfRoute(attempt.outcome)),
        now,
      });
    } catch (error) {
      return { ...unsent, result: tooLarge(claimed, error, way) ?? ownFault(claimed, error) };
    }
  };

  /** What becomes of a mail whose site its route does not take, or is not known; undefined where it goes on. */
  function resultOf(turn: SiteTurn, { acceptedAt }: ClaimedDelivery): Settlement['result'] | undefined {
    const now = clock.now();
    switch (turn.type) {
      case 'stays':
        return undefined;
      case 'moves':
        return { type: 'returned', movedTo: turn.to };
      case 'asked':
        return { type: 'returned', dueAt: now + ASKED_MS };
      case 'nowhere':
        return { type: 'failed', reply: turn.reply, status: undefined, reason: 'system' };
      case 'trouble': {
        // Nothing was tried, so that its age says how often it has waited.
        const attempts = Math.floor(Math.log2(1 + Math.max(0, now - acceptedAt) / schedule.firstMs));
        const said = { reply: turn.reply, status: undefined };
        const again = retryAt({ attempts, acceptedAt }, 'dns', now);
        return again === undefined
          ? { type: 'failed', ...said, reason: 'expired' }
          : { type: 'deferred', ...said, retryAt: again, reason: 'dns' };
      }
    }
  }

  /** A mail goes to another route, or waits for its own; one in doubt, which only that may try, until it is too old. */
  function waitsFor(route: string, closed: OtherWay, { acceptedAt, inDoubt }: ClaimedDelivery): Settlement['result'] {
    // What was never tried is tried once, however old it is.
    const isOver = inDoubt === true && clock.now() > acceptedAt + schedule.maxAgeMs;
    if (!isOver) return { type: 'returned', ...closed };
    const reply = `the route ${route} has not worked for as long as this mail was to be tried`;
    return { type: 'failed', reply, status: undefined, reason: 'expired' };
  }

  /** What the sender has to mend is told, whether it is tried again or not. */
  function warn(route: string, { id, address, site }: ClaimedDelivery, outcome: Outcome): void {
    if ((outcome.type !== 'deferred' && outcome.type !== 'bounced') || !isForSender(outcome.reason)) return;
    // That the route lets nobody in is told as a fault of the route.
    if (outcome.fault === 'login') return;
    const { reason, reply, status } = outcome;
    const domain = domainOf(address).toLowerCase();
    const example = { deliveryId: encodeId('dlv', id), reply, status, source: 'smtp' };
    context.warnings.note({ reason, route, site: site ?? context.siteOf(domain) ?? domain, example });
  }

  /** Undefined where the route has none, as most. */
  function demandsOn(name: string, content: Content, claimed: ClaimedDelivery): RouteDemands | undefined {
    const route = providers.get(name);
    if (route === undefined) return undefined;
    const { id, messageId, tracking } = claimed;
    const labels = { ...store.log.labels(messageId), stream: content.stream, deliveryId: encodeId('dlv', id) };
    const { opens, clicks } = { ...content.tracking, ...tracking };
    return demandsOf(route, {
      ...labels,
      tracking: { opens: opens ?? content.tracking.opens, clicks: clicks ?? content.tracking.clicks },
    });
  }

  function suppressionOf(content: Content, { address }: ClaimedDelivery): string | undefined {
    const suppression = store.suppressions.find(address, scopesCovering(content), clock.now());
    return suppression && `${suppression.reason} (${suppression.scope})`;
  }

  function retryAt(
    claimed: Pick<ClaimedDelivery, 'attempts' | 'acceptedAt'>,
    reason: ReasonClass,
    now: number,
    retryAfterMs?: number,
  ): number | undefined {
    const { attempts, acceptedAt } = claimed;
    return nextAttemptAt({
      attempts: attempts + 1,
      reason,
      now,
      acceptedAt,
      retryAfterMs,
      random: Math.random,
      schedule,
    });
  }

  /** A mail that is too large for its route, where others take it; undefined for what is none. */
  function tooLarge(claimed: ClaimedDelivery, error: unknown, way: Way | undefined): Settlement['result'] | undefined {
    if (way === undefined || !isMailRelayError(error) || error.code !== 'MESSAGE_TOO_LARGE') return undefined;
    const now = clock.now();
    const { fits, next, later } = way.onward(now, Number(error.details.bytes));
    if (fits || (next === undefined && later === undefined)) return undefined;
    if (next !== undefined) return { type: 'returned', movedTo: next };
    const said = { reply: messageOf(error), status: undefined, reason: 'message-too-big' } as const;
    const again = retryAt(claimed, said.reason, now);
    return again === undefined
      ? { type: 'failed', ...said }
      : { type: 'deferred', retryAt: again, ...said, movedTo: later };
  }

  /** What the relay itself cannot do now may work later; what no attempt changes fails at once. */
  function ownFault(claimed: ClaimedDelivery, error: unknown): Settlement['result'] {
    const known = isMailRelayError(error);
    const fields = {
      delivery: encodeId('dlv', claimed.id),
      ...(known ? { code: error.code } : { error: messageOf(error) }),
    };
    log('error', fields, 'a delivery cannot be composed');
    const said = { reply: known ? messageOf(error) : 'the relay failed', status: undefined, reason: 'system' } as const;
    const again = known && !error.retry ? undefined : retryAt(claimed, 'system', clock.now());
    return again === undefined ? { type: 'failed', ...said } : { type: 'deferred', retryAt: again, ...said };
  }
}

/** Nothing is wrong with the recipient's address. */
function isSoft(outcome: Outcome): boolean {
  return outcome.type === 'bounced' && outcome.kind === 'soft';
}

function isOfRoute(outcome: Outcome): boolean {
  return 'fault' in outcome && outcome.fault !== undefined;
}
