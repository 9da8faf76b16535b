import type { Outcome, RouteSpec } from '../deliver/port.ts';
import { encodeId } from '../message.ts';
import type { Breakers } from '../route/breakers.ts';
import type { FailingRoute, HostApi } from '../thread/port.ts';
import { isAway } from './way-lessons.ts';

/** Reasons that are about the route, whoever the mail is for. */
const FAULTS: ReadonlySet<string> = new Set(['auth-failure', 'tls', 'network', 'timeout']);
const AGAIN_MS = 60_000;
const TEXT = 'a route does not work; its mail takes the next one, or waits: relay.routes.verify() says what is wrong';
/** Codes of the system and of nodemailer, which stand in what became of a connection. */
const ERROR_CODE =
  /\bE(?:ADDRNOTAVAIL|ACCES|PERM|[MN]FILE|CONN[A-Z]+|TIMEDOUT|NOTFOUND|NODATA|AI_AGAIN|HOSTUNREACH|NETUNREACH|PIPE|PROTO|SOCKET|DNS)\b/;

/** What is known of routes that do not work. */
export interface RouteFaults {
  /** Takes the outcome of an attempt. */
  note(route: string, deliveryId: number, outcome: Outcome, now: number): void;
  /** Routes whose last attempt failed for a reason of the route; a server that ends conversations (421), or says nothing to mails, is one as its breaker opens. */
  failing(): readonly FailingRoute[];
}

/**
 * Tells the log that a route does not work: nobody else would say so. Once a minute for each route and
 * reason, with the host and the error's code; without the server's words, which may hold addresses.
 */
export function createRouteFaults(
  log: HostApi['log'],
  routes: readonly RouteSpec[],
  breakers: Pick<Breakers, 'look'>,
): RouteFaults {
  const told = new Map<string, number>();
  const failing = new Map<string, FailingRoute>();
  return {
    note(route, deliveryId, outcome, now) {
      const spec = routes.find(({ name }) => name === route);
      const down = breakers.look(route, now) !== 'closed';
      // Of one mail that says nothing of the route.
      if (outcome.type === 'withdrawn' || (outcome.type === 'unknown' && !down)) return;
      if (!isOfRoute(outcome, spec, down)) {
        failing.delete(route);
        return;
      }
      const { reason } = outcome;
      const status = outcome.type === 'unknown' ? undefined : outcome.status;
      failing.set(route, { route, reason, since: failing.get(route)?.since ?? now });
      const key = `${route} ${reason}`;
      if (now - (told.get(key) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
      told.set(key, now);
      const host = spec?.kind === 'smtp' ? spec.smtp.host : undefined;
      const code = ERROR_CODE.exec(outcome.reply)?.[0];
      const fields = { route, host, reason, code, status, delivery: encodeId('dlv', deliveryId) };
      log('warn', fields, TEXT);
    },
    failing: () => [...failing.values()],
  };
}

/** In direct MX most are faults of one recipient's domain, and say nothing about the route. */
function isOfRoute(
  outcome: Outcome,
  spec: RouteSpec | undefined,
  down: boolean,
): outcome is Extract<Outcome, { type: 'deferred' | 'unknown' }> {
  if (outcome.type === 'unknown') return down && spec?.kind !== 'mx';
  if (outcome.type !== 'deferred') return false;
  if (spec?.kind === 'mx') return outcome.fault === 'machine';
  return FAULTS.has(outcome.reason) || (down && isAway(outcome));
}
