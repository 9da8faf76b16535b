/** What each option may be. */
import type { AlertOptions, RateAlertOptions, WarningOptions } from './alert-options.ts';
import { isClock } from './clock.ts';
import type { RouteOptions } from './deliver/port.ts';
import type { DkimKeyOptions, DkimOptions } from './dkim-options.ts';
import { isLogger } from './logger.ts';
import { STREAMS, type Stream, type TrackingOptions } from './message.ts';
import type { LimitOptions, MailRelayOptions, QueueOptions, TemplateOptions } from './options.ts';
import { isRate } from './rate.ts';
import type { RouteRules } from './route/port.ts';
import {
  anyText,
  anything,
  callable,
  either,
  flag,
  group,
  isObject,
  list,
  milliseconds,
  oneOf,
  positive,
  type Rule,
  type Rules,
  record,
  rule,
  text,
  textUpTo,
  whole,
} from './rules.ts';
import { SHAPING } from './shaping-options.ts';
import type { StoreSpec } from './store/port.ts';
import type { SoftBounceOptions, SuppressionOptions } from './suppression-policy.ts';
import type { UnsubscribeOptions, UnsubscribeTexts } from './unsubscribe.ts';
import { WARM_UP } from './warm-up.ts';
import { WEBHOOK_OUT } from './webhooks-out-options.ts';

const rate: Rule = rule((value) => isRate(value), 'must read like 200/s, 3000/min, 100/h or 50000/day');

/** One value, or a list that is not empty. */
const oneOrMore = (item: Rule): Rule =>
  either(
    Array.isArray,
    (value, place) =>
      (value as unknown[]).length === 0
        ? { place, says: 'must not be an empty list', unknown: false }
        : list(item)(value, place),
    item,
  );
const names = oneOrMore(text);

/** A host of URLs in its one spelling, with its port where that is not the usual one; undefined where a text is none. */
export function hostOf(given: string): string | undefined {
  if (!/^[^\s/?#@\\*]+$/.test(given)) return undefined;
  const url = `https://${given}/`;
  return URL.canParse(url) ? new URL(url).host : undefined;
}

const host: Rule = rule(
  (value) => typeof value === 'string' && hostOf(value) !== undefined,
  'must be a host name such as cdn.example.com, without a scheme and a path',
);

/** Rules of {@link StoreSpec}; its kind and its path are checked where it is resolved. */
export const STORE: Rule = group<StoreSpec>({ kind: anything, path: anything });
const takes: Rule = oneOrMore(
  group<RouteRules>({
    stream: oneOrMore(oneOf(STREAMS)),
    senderDomain: names,
    recipientDomain: names,
    site: names,
    tag: names,
    campaign: names,
  }),
);

/** Rules of what all routes have in common. */
export const ROUTE: Rules<RouteOptions> = {
  name: text,
  rate: oneOrMore(rate),
  concurrency: whole(1),
  takes,
  weight: positive,
  shaping: flag,
  warmUp: WARM_UP,
};

/** A route that the host made itself, without its kind. */
export const CUSTOM_ROUTE: Rule = group<RouteOptions & { create: unknown }>(
  { ...ROUTE, create: callable },
  { needed: ['name', 'create'] },
);

/** Rules of {@link TrackingOptions}, for the relay, a stream and a message. */
export const TRACKING: Rules<TrackingOptions> = { opens: flag, clicks: flag, utm: record(textUpTo(500)) };

const TEMPLATES = group<TemplateOptions>({
  folder: either(Array.isArray, list(text), text),
  templates: list(anything),
  watch: flag,
});
const LIMITS = group<LimitOptions>({ maxMessageBytes: whole(1), maxRecipients: whole(1) });
const QUEUE = group<QueueOptions>({
  deliver: flag,
  leaseMs: milliseconds,
  retryFirstMs: positive,
  retryMaxMs: positive,
  maxAgeMs: positive,
});
const DKIM = group<DkimOptions>(
  {
    keys: list(
      group<DkimKeyOptions>(
        { domain: text, selector: text, privateKey: anything },
        { needed: ['domain', 'selector', 'privateKey'] },
      ),
    ),
    alignment: oneOf(['relaxed', 'strict']),
    required: flag,
    unsignedHeaders: list(text),
    expireAfterMs: whole(1000),
  },
  { needed: ['keys'] },
);
const off: Rule = rule((value) => value === false, 'must be false');
/** One of some texts, or `false`. */
const oneOrOff = (allowed: readonly string[]): Rule => either((value) => value === false, off, oneOf(allowed));
const SUPPRESSION = group<SuppressionOptions>({
  hardBounces: oneOrOff(['all', 'stream']),
  complaints: oneOrOff(['broadcast', 'all']),
  softBounces: either(
    (value) => value === false,
    off,
    group<SoftBounceOptions>({ count: whole(1, 1000), withinDays: whole(1, 365), forDays: whole(1, 36_500) }),
  ),
});
const share: Rule = rule(
  (value) => typeof value === 'number' && value > 0 && value < 1,
  'must be a share between 0 and 1, such as 0.001 for 0.1 %',
);
const rates: Rule = rule((value) => Array.isArray(value) && value.length > 0, 'must be a list that is not empty');
/** An object, or `false`. */
const groupOrOff = (options: Rule): Rule => either((value) => value === false, off, options);
const RATE_ALERT = groupOrOff(
  group<RateAlertOptions>({
    rates: (value, place) => rates(value, place) ?? list(share, 10)(value, place),
    minVolume: whole(1),
  }),
);
const ALERTS = groupOrOff(
  group<AlertOptions>({
    complaints: RATE_ALERT,
    hardBounces: RATE_ALERT,
    windowHours: whole(1, 720),
    warnings: groupOrOff(group<WarningOptions>({ everyMinutes: whole(1, 1440) })),
  }),
);
const TEXTS = group<UnsubscribeTexts>({
  title: anyText,
  question: anyText,
  button: anyText,
  doneTitle: anyText,
  done: anyText,
  alreadyTitle: anyText,
  already: anyText,
  againButton: anyText,
  againTitle: anyText,
  again: anyText,
  topic: anyText,
  scopes: record(anyText),
});
const stream = group(TRACKING);
const isText = (value: unknown): boolean => typeof value === 'string';

/** All options; what needs more than a look is checked where it is resolved. */
export const OPTIONS: Rule = group<MailRelayOptions>({
  publicUrl: text,
  path: rule(
    // Clients resolve `.` and `..` before they ask.
    (value) => typeof value === 'string' && /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+$/.test(value),
    'must be a path such as /mail: letters, digits and . _ ~ - between slashes, without one at its end',
  ),
  secret: either(Array.isArray, list(text), text),
  from: anything,
  store: anything,
  templates: either(isText, text, either(Array.isArray, list(anything), TEMPLATES)),
  routes: list(anything),
  dkim: DKIM,
  shaping: SHAPING,
  tracking: group<NonNullable<MailRelayOptions['tracking']>>({
    ...TRACKING,
    streams: group<Record<Stream, unknown>>({ transactional: stream, broadcast: stream }),
  }),
  bounceDomain: either(isObject, record(text), text),
  suppression: SUPPRESSION,
  alerts: ALERTS,
  webhooks: anything,
  webhooksOut: list(WEBHOOK_OUT, 100),
  unsubscribe: group<UnsubscribeOptions>({ texts: record(TEXTS), page: callable }),
  attachments: group<NonNullable<MailRelayOptions['attachments']>>({ paths: list(text), hosts: list(host) }),
  limits: LIMITS,
  queue: QUEUE,
  environment: oneOf(['development', 'production']),
  thread: flag,
  clock: rule(isClock, 'needs the methods now, alarm and every'),
  logger: rule(isLogger, 'needs the methods debug, info, warn and error'),
});
