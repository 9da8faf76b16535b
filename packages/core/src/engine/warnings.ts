import type { Warning } from '../alerts.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Fault, ReasonClass } from '../events.ts';
import type { AlertStore } from '../store/port.ts';
import type { HostApi } from '../thread/port.ts';

/** A refusal of one mail. */
export interface Refusal extends Pick<Warning, 'reason' | 'route' | 'site'> {
  readonly example: Warning['example'];
}

/** Collects refusals that the sender has to mend, so that the operator hears of them, and not once for each mail. */
export interface Warnings {
  start(): void;
  /** Tells what is still to be told, and ends when it is stored for the subscriptions. */
  stop(): Promise<void>;
  note(refusal: Refusal): void;
  /** Resolves when what was told is stored for the subscriptions. */
  stored(): Promise<void>;
  /** All of the running windows, the newest first. */
  recent(): readonly Warning[];
}

/** Reasons that the sender has to mend, whoever the source blames. */
const REASONS: ReadonlySet<ReasonClass> = new Set([
  'blocked-ip',
  'blocked-sender',
  'auth-failure',
  'policy',
  'content-rejected',
  'spam-rejected',
]);
/** These go away by themselves. */
const PASSING: ReadonlySet<ReasonClass> = new Set(['rate-limited', 'greylisted']);
/** Sites told apart by route and reason; what comes after them in the window is told of together. */
const SITES = 50;
const SHOWN = 100;
/** How often windows are looked at, ms. */
const LOOK_MS = 15_000;
/** A reply is kept so far. */
const REPLY = 1000;

/** Whether a refusal is for the sender to mend. */
export function isForSender(reason: ReasonClass, fault?: Fault): boolean {
  return REASONS.has(reason) || (fault === 'sender' && !PASSING.has(reason));
}

interface Window {
  readonly until: number;
  /** Told already. */
  readonly told: Warning;
  /** Yet to be told. */
  more: Warning | undefined;
}

/** The first refusal of its kind is told at once, and what follows in a window together at its end. */
export function createWarnings(context: {
  readonly clock: Clock;
  /** Length of the window, ms; undefined where nobody wants to know. */
  readonly everyMs: number | undefined;
  readonly host: Pick<HostApi, 'warn' | 'log'>;
  readonly alerts: Pick<AlertStore, 'warn'>;
  /** A subscription may have to be told. */
  wake(): void;
}): Warnings {
  const { clock, everyMs, host, alerts, wake } = context;
  let storing: Promise<void> = Promise.resolve();
  const windows = new Map<string, Window>();
  /** Sites by route and reason. */
  const sites = new Map<string, Set<string>>();
  let end: (() => void) | undefined;

  function tell(warning: Warning): void {
    const { reason, route, count, example } = warning;
    const { deliveryId, status, source } = example;
    // Without the server's words and the recipient's domain, which may be those of a person.
    const fields = { reason, route, count, status, source, deliveryId };
    host.log('warn', fields, 'mail was refused for a reason of the sender');
    host.warn([warning]);
    storing = Promise.all([storing, store(warning)]).then(wake);
  }

  /** What tells of refusals must not fail with them. */
  async function store(warning: Warning): Promise<void> {
    try {
      await alerts.warn(warning, clock.now());
    } catch (error) {
      host.log('error', { error: messageOf(error) }, 'a warning could not be stored for the subscriptions');
    }
  }

  function placeOf({ reason, route, site }: Refusal): string | undefined {
    if (site === undefined) return undefined;
    const group = JSON.stringify([reason, route]);
    const known = sites.get(group) ?? new Set();
    if (!known.has(site) && known.size >= SITES) return undefined;
    sites.set(group, known.add(site));
    return site;
  }

  function endWindow(key: string, { more, told }: Window, now: number): void {
    windows.delete(key);
    if (more !== undefined) {
      windows.set(key, { until: now + (everyMs ?? 0), told: more, more: undefined });
      tell(more);
    } else if (told.site !== undefined) sites.get(JSON.stringify([told.reason, told.route]))?.delete(told.site);
  }

  function endWindows(): void {
    const now = clock.now();
    for (const [key, window] of [...windows]) if (window.until <= now) endWindow(key, window, now);
  }

  return {
    start() {
      if (everyMs !== undefined) end = clock.every(LOOK_MS, endWindows);
    },
    async stop() {
      end?.();
      for (const { more } of windows.values()) if (more !== undefined) tell(more);
      windows.clear();
      await storing;
    },
    stored: () => storing,
    note(refusal) {
      if (everyMs === undefined) return;
      endWindows();
      const at = new Date(clock.now());
      const { reason, route } = refusal;
      const site = placeOf(refusal);
      const example = { ...refusal.example, reply: refusal.example.reply.slice(0, REPLY) };
      const one = { reason, route, site, count: 1, firstAt: at, lastAt: at, example };
      const key = JSON.stringify([reason, route, site]);
      const window = windows.get(key);
      if (window !== undefined) window.more = added(window.more, one);
      else {
        windows.set(key, { until: at.getTime() + everyMs, told: one, more: undefined });
        tell(one);
      }
    },
    recent: () =>
      [...windows.values()]
        .map(({ told, more }) => (more === undefined ? told : added(told, more)))
        .sort((one, other) => other.lastAt.getTime() - one.lastAt.getTime())
        .slice(0, SHOWN),
  };
}

function added(before: Warning | undefined, more: Warning): Warning {
  if (before === undefined) return more;
  return { ...more, count: before.count + more.count, firstAt: before.firstAt };
}
