import { randomBytes } from 'node:crypto';
import type { EndpointView } from '../notify/port.ts';
import { check, group, rule, text } from '../rules.ts';
import { SUBSCRIPTION_NAME } from '../subscription-name.ts';
import type { EngineApi } from '../thread/port.ts';
import { keyOf } from '../webhook-key.ts';
import { NEW_WEBHOOK, resolveWebhookOut, type WebhookOutOptions } from '../webhooks-out-options.ts';

/** An endpoint that is added while the relay runs. */
export interface NewWebhookOut extends Omit<WebhookOutOptions, 'secret'> {
  /** As in the options. @default a random one, which `add()` answers */
  readonly secret?: WebhookOutOptions['secret'] | undefined;
}

/** How a secret is changed. */
export interface RotateOptions {
  /** The new one: `whsec_` and 24 to 64 bytes in base64. @default a random one */
  readonly secret?: string | undefined;
  /** How long the older ones sign beside it, ms; 0 ends them at once. @default 86400000: a day */
  readonly keepMs?: number | undefined;
}

/** An endpoint and the secret that signs what is posted there: to be shown once. */
export interface WebhookOutSecret {
  readonly name: string;
  readonly secret: string;
}

/**
 * Endpoints of webhooks, those of the option `webhooksOut` and those that were added here. What is added is in the store, sealed
 * with the relay's secret: it lasts over restarts, and every process posts to it within a second. How far an endpoint is, its
 * log and its failures are under its name in `relay.subscriptions`.
 */
export interface WebhooksOut {
  /** All of them, by name; without secrets, and without the query of the URL. */
  list(): Promise<EndpointView[]>;
  /**
   * Adds an endpoint, which gets what happens from then on.
   *
   * @returns its name and the secret that signs
   * @throws MailRelayError `OPTIONS_INVALID` for what the options would not take, or where the name is taken
   * @example
   * const { secret } = await relay.webhooksOut.add({ name: 'crm', url: 'https://crm.acme.example/hook', types: ['bounced'] });
   */
  add(endpoint: NewWebhookOut): Promise<WebhookOutSecret>;
  /**
   * Forgets an endpoint that was added, with what waits for it.
   *
   * @throws MailRelayError `SUBSCRIPTION_NOT_FOUND`; `OPTIONS_INVALID` for one of the options
   */
  remove(name: string): Promise<void>;
  /**
   * Signs with a new secret; for a while with the older ones, too, so that the other system can take it in between.
   *
   * @throws MailRelayError as `remove()`
   */
  rotate(name: string, options?: RotateOptions): Promise<WebhookOutSecret>;
}

const DAY_MS = 86_400_000;
const ROTATE = group<RotateOptions>({
  secret: text,
  keepMs: rule(
    (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 366 * DAY_MS,
    'must be a whole number of ms, at most a year',
  ),
});
const SECRET = rule(
  (value) => typeof value === 'string' && keyOf(value) !== undefined,
  'must be `whsec_` and 24 to 64 bytes in base64',
);

/** `relay.webhooksOut` */
export function createWebhooksOut(engine: () => Promise<EngineApi>): WebhooksOut {
  return {
    list: async () => (await engine()).listEndpoints(),
    async add(endpoint) {
      check(NEW_WEBHOOK, endpoint, 'add()');
      const secret = endpoint.secret ?? freshSecret();
      const resolved = resolveWebhookOut({ ...endpoint, secret }, 'add()');
      await (await engine()).addEndpoint(resolved);
      return { name: resolved.name, secret: [secret].flat()[0] as string };
    },
    async remove(name) {
      check(SUBSCRIPTION_NAME, name, 'name');
      await (await engine()).removeEndpoint(name);
    },
    async rotate(name, options = {}) {
      check(SUBSCRIPTION_NAME, name, 'name');
      check(ROTATE, options, 'rotate()');
      const { secret = freshSecret(), keepMs = DAY_MS } = options;
      check(SECRET, secret, 'rotate().secret');
      await (await engine()).rotateEndpoint(name, keyOf(secret)?.toString('base64') ?? '', keepMs);
      return { name, secret };
    },
  };
}

function freshSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
