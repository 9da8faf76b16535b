import { domainOf } from '../address.ts';
import type { Attempt, RouteSpec } from '../deliver/port.ts';
import type { Content } from '../message.ts';
import type { Breaker } from '../route/breaker.ts';
import type { Breakers } from '../route/breakers.ts';
import type { KnownSite } from '../route/choose.ts';
import { createFailover } from '../route/failover.ts';
import { placesOf } from '../route/places.ts';
import { createFitting } from '../route/rules.ts';
import { createTakingRoutes } from '../route/taking.ts';
import { createProviderFit } from './provider-fit.ts';
import { createAiling, DIRECT, type Lesson, ONE_HOP } from './way-lessons.ts';

/** Which routes come after one. */
export interface Onward {
  /** The route itself takes the mail, with its labels and of its size. */
  readonly fits: boolean;
  /** At once, where it failed the mail. */
  readonly next: string | undefined;
  /** For a later attempt; undefined for the same. */
  readonly later: string | undefined;
  /** Another route takes the mail, and does not work at the moment. */
  readonly ailing: boolean;
}

/** A mail goes on over another route, or waits for a time. */
export interface OtherWay {
  readonly movedTo?: string;
  readonly dueAt?: number;
}

/** An attempt's way over its route, and from there to others. */
export interface Way {
  /** The route does not work: the mail goes on over another, or waits for a time; undefined where it may be tried. */
  readonly closed: OtherWay | undefined;
  /** Learns from the attempt how the route does. */
  watch(attempt: () => Promise<Attempt>): Promise<Attempt>;
  /** @param bytes - size of the mail; undefined where it was not composed */
  onward(now: number, bytes?: number): Onward;
}

/** A mail at the beginning of its way. */
export interface EnteringMail {
  readonly content: Pick<Content, 'route' | 'stream' | 'from' | 'headers' | 'tracking'>;
  readonly address: string;
  /** A server may have it already: it takes no other route. */
  readonly inDoubt: true | undefined;
  /** Asked for only where routes have rules, or providers behind them limits. */
  labels(): { readonly campaign: string | undefined; readonly tags: readonly string[] };
}

/** Which ways are open. */
export interface Ways {
  enter(route: string, mail: EnteringMail, now: number): Way;
  /** Where a mail goes for which its route has no room today, or when the next route is tried again; undefined where none takes it. */
  beyond(route: string, mail: EnteringMail, now: number): OtherWay | undefined;
  /** The first route that takes a mail and works, else the first that takes it; undefined where none is known to. */
  first(mail: EnteringMail, now: number): string | undefined;
  /**
   * Where a mail goes that its route does not take, as routes were changed or removed while it waited; undefined where it may
   * stay, where its site decides, and where none takes it.
   */
  astray(route: string, mail: EnteringMail, now: number): string | undefined;
  /** Whether a lane is fed: mail of a route that does not work waits where no other route could take it. */
  isFed(route: string, now: number): boolean;
  /** Until when a lane that is not fed waits at least, ms since the epoch; undefined where it is fed. */
  heldUntil(route: string, now: number): number | undefined;
}

/** Mail that may take no other way waits at least so long for its route, ms. */
const WAIT_MS = 1000;
/** The same while a probe of the route is on its way, ms. */
const PROBED_MS = 5000;

/** Joins the routes in their order with what is known of their health. */
export function createWays(
  routes: readonly RouteSpec[],
  breakers: Breakers,
  clock: { now(): number },
  siteOf?: KnownSite,
): Ways {
  const lastPlace = placesOf(routes).at(-1) ?? [];
  /** Mail of this route has no other way. */
  const last = lastPlace.length === 1 ? lastPlace[0]?.name : undefined;
  const takingRoutes = createTakingRoutes(routes, siteOf);
  const names = new Set(routes.map(({ name }) => name));
  const fittings = new Map(routes.map(({ name, takes }) => [name, createFitting(takes)]));
  const lessons = new Map(
    routes.flatMap(({ name, kind }) => (kind === 'capture' ? [] : [[name, kind === 'mx' ? DIRECT : ONE_HOP] as const])),
  );
  // Of these the health is known, from the start.
  for (const name of lessons.keys()) breakers.of(name);
  const ailing = createAiling();
  const fits = createProviderFit(routes);
  const failover = createFailover((route, now) => breakers.look(route, now));
  const takingOf = ({ content, labels, address }: EnteringMail): readonly string[] =>
    takingRoutes(
      content.route,
      () => ({ ...labels(), stream: content.stream, senderDomain: domainOf(content.from.address) }),
      address,
    );
  /** Where a mail may go on from its route: those that take it, and the route itself. */
  const beside = (route: string | undefined, mail: EnteringMail, bytes?: number): readonly string[] =>
    mail.inDoubt === true && route !== undefined
      ? [route]
      : takingOf(mail).filter((name) => name === route || fits(name, mail, bytes));

  const isFed = (route: string, now: number): boolean =>
    route !== last || !lessons.has(route) || breakers.look(route, now) !== 'open';

  function takes(route: string, { content, address, inDoubt, labels }: EnteringMail): boolean {
    const fitting = fittings.get(route);
    if (fitting === undefined || inDoubt === true || names.has(content.route ?? '')) return true;
    // Few rules look at the labels, which have to be read.
    const asked = {
      stream: content.stream,
      senderDomain: domainOf(content.from.address),
      get campaign() {
        return labels().campaign;
      },
      get tags() {
        return labels().tags;
      },
    };
    return fitting.mail(asked) && fitting.recipient(asked, domainOf(address)) !== false;
  }

  /** Where mail goes on, or how long it waits for the first of some routes that do not work. */
  function otherWay(next: string | undefined, down: readonly string[], now: number): OtherWay {
    if (next !== undefined) return { movedTo: next };
    const probes = down.map((route) => breakers.of(route).health().probeAt ?? 0);
    const at = Math.min(...probes);
    // One mail is on its way to find out: that may take as long as its server is silent.
    return { dueAt: at > now ? Math.max(now + WAIT_MS, at) : now + PROBED_MS };
  }

  return {
    enter(route, mail, now) {
      const lesson = lessons.get(route);
      const breaker = lesson && breakers.of(route);
      const open = breaker?.pass(now) === 'open';
      return {
        closed: open ? otherWay(failover.next(beside(route, mail), route, now), [route], now) : undefined,
        async watch(attempt) {
          const made = await (lesson && breaker ? watched(breaker, lesson, attempt, clock) : attempt());
          ailing.note(route, made.outcome);
          return made;
        },
        onward(at, bytes) {
          const taking = beside(route, mail, bytes);
          const others = taking.filter((name) => name !== route);
          const fit = fits(route, mail, bytes);
          return {
            fits: fit,
            next: failover.next(taking, route, at),
            later: otherThan(route, failover.first(fit ? taking : others, at)),
            ailing: others.some((name) => ailing.has(name)),
          };
        },
      };
    },
    first: (mail, now) => failover.first(beside(undefined, mail), now),
    beyond(route, mail, now) {
      const taking = beside(route, mail);
      const behind = taking.includes(route) ? taking.slice(taking.indexOf(route) + 1) : [];
      return behind.length === 0 ? undefined : otherWay(failover.next(taking, route, now), behind, now);
    },
    astray: (route, mail, now) =>
      takes(route, mail) ? undefined : otherThan(route, failover.first(beside(undefined, mail), now)),
    isFed,
    heldUntil: (route, now) => (isFed(route, now) ? undefined : breakers.of(route).health().probeAt),
  };
}

async function watched(
  breaker: Breaker,
  lesson: Lesson,
  attempt: () => Promise<Attempt>,
  clock: { now(): number },
): Promise<Attempt> {
  let made: Attempt;
  try {
    made = await attempt();
  } catch (error) {
    breaker.gaveUp();
    throw error;
  }
  lesson.learn(breaker, made, clock.now());
  return { ...made, outcome: lesson.meant(made.outcome) };
}

function otherThan(route: string, found: string | undefined): string | undefined {
  return found === route ? undefined : found;
}
