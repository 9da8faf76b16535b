import { EVENT_TYPES, NOTICE_TYPES, type SubscribedType } from './events.ts';
import type { ResolvedEndpoint } from './notify/port.ts';
import { either, flag, group, list, oneOf, type Rule, type Rules, refuse, text, whole } from './rules.ts';
import { SUBSCRIPTION_NAME } from './subscription-name.ts';
import { keyOf } from './webhook-key.ts';

/** An endpoint of another system of the host that events are posted to (Standard Webhooks). */
export interface WebhookOutOptions {
  /** Where to post: an https URL without credentials. */
  readonly url: string;
  /** `whsec_` and 24 to 64 bytes in base64. Of several each signs, so that a secret can be changed without a gap; at most 5. */
  readonly secret: string | readonly string[];
  /** Types of events, and `alert` and `warning`. @default every type of event of a mail */
  readonly types?: readonly SubscribedType[] | undefined;
  /** By which it is known over restarts, to operators and in the log. @default host and path of the URL */
  readonly name?: string | undefined;
  /** Requests at once; those about one delivery go one after the other. @default 4 */
  readonly concurrency?: number | undefined;
  /** Longest wait for an answer, ms. @default 15000 */
  readonly timeoutMs?: number | undefined;
  /** Whether the URL may be http: what is posted then can be read on the way. @default false */
  readonly allowHttp?: boolean | undefined;
  /** Whether the address may be private or of this machine, for development and internal networks. @default false */
  readonly allowPrivateAddresses?: boolean | undefined;
  /** Certificates to trust, PEM, in place of those that Node trusts. @default those of Node */
  readonly ca?: string | undefined;
}

const secrets: Rule = either(Array.isArray, list(text, 5), text);

const RULES: Rules<WebhookOutOptions> = {
  url: text,
  secret: secrets,
  types: list(oneOf([...EVENT_TYPES, ...NOTICE_TYPES])),
  name: SUBSCRIPTION_NAME,
  concurrency: whole(1, 100),
  timeoutMs: whole(100, 120_000),
  allowHttp: flag,
  allowPrivateAddresses: flag,
  ca: text,
};

/** Rule of an endpoint; what needs more than a look is checked where it is resolved. */
export const WEBHOOK_OUT: Rule = group<WebhookOutOptions>(RULES, { needed: ['url', 'secret'] });
/** Rule of one that is added while the relay runs, which can get a secret. */
export const NEW_WEBHOOK: Rule = group<WebhookOutOptions>(RULES, { needed: ['url'] });

/** @throws MailRelayError `OPTIONS_INVALID` */
export function resolveWebhooksOut(given: readonly WebhookOutOptions[] = []): readonly ResolvedEndpoint[] {
  const endpoints = given.map((options, index) => resolveWebhookOut(options, `webhooksOut[${index}]`));
  const names = endpoints.map(({ name }) => name);
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twice >= 0) refuse(`webhooksOut[${twice}].name`, 'must be another one for each endpoint');
  return endpoints;
}

/** @param place - how the host calls it. @throws MailRelayError `OPTIONS_INVALID` */
export function resolveWebhookOut(options: WebhookOutOptions, place: string): ResolvedEndpoint {
  const url = urlOf(options, `${place}.url`);
  const types: readonly SubscribedType[] = options.types ?? EVENT_TYPES;
  if (types.length === 0) refuse(`${place}.types`, 'must not be an empty list');
  const name = options.name ?? nameOf(url);
  return {
    name,
    url: url.href,
    keys: keysOf(options.secret, `${place}.secret`),
    types: [...EVENT_TYPES, ...NOTICE_TYPES].filter((type) => types.includes(type)),
    concurrency: options.concurrency ?? 4,
    timeoutMs: options.timeoutMs ?? 15_000,
    allowPrivateAddresses: options.allowPrivateAddresses ?? false,
    ca: options.ca,
  };
}

/** Without the query, which may carry a token. */
function nameOf({ host, pathname }: URL): string {
  return (host.replace(/[[\]]/g, '') + pathname.replace(/\/+$/, '')).replace(/[^\w.:/@-]/g, '_').slice(0, 200);
}

/** What is wrong with a URL is said without it: it may carry a token. */
function urlOf({ url: given, allowHttp = false }: WebhookOutOptions, place: string): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) refuse(place, 'must be an https URL');
  if (url.protocol === 'http:' && !allowHttp) refuse(place, 'must be https, or needs `allowHttp: true`');
  if (url.username + url.password !== '') refuse(place, 'must have no credentials');
  url.hash = '';
  return url;
}

function keysOf(given: string | readonly string[], place: string): readonly string[] {
  const keys = [given].flat().map((secret) => keyOf(secret)?.toString('base64'));
  if (keys.length === 0) refuse(place, 'must not be an empty list');
  return keys.map((key) => key ?? refuse(place, 'must be `whsec_` and 24 to 64 bytes in base64'));
}
