/** The plug-in interface of providers that tell by webhook what became of a mail. */
import { MailRelayError } from '../../errors.ts';
import type { FeedbackEvent } from '../event.ts';

/** A webhook as it came. */
export interface HookRequest {
  /** The body, byte by byte as it was sent: what signatures are made over. */
  readonly body: Uint8Array;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
}

/** What a provider works with beside the request. */
export interface HookTools {
  /** Ms since the epoch. */
  readonly now: number;
  /**
   * Gets a text over https: without redirects, at most 64 KB, within 5 seconds. The provider makes sure where the URL leads.
   *
   * @throws Error where it cannot be had
   */
  get(url: string): Promise<string>;
  /** Tells the log of a kind of event that `read` does not know. It must change nothing. */
  readonly unknown?: ((kind: string) => void) | undefined;
}

/** What {@link WebhookProvider.read} works with. */
export type ReadTools = Pick<HookTools, 'now' | 'unknown'>;

/**
 * Whether a webhook is the provider's. `once` is a token that the provider gives away once: a webhook with the same one is
 * refused, also after a restart. `because` goes into the log, never into the answer.
 */
export type HookVerdict =
  | { readonly ok: true; readonly once?: string | undefined }
  | { readonly ok: false; readonly because: string };

/** A provider whose webhooks are received at `/mail/hooks/<name>`; made by {@link defineProvider}. */
export interface WebhookProvider {
  /** Last part of the path, and `source` of the events: small letters, digits and `-`. */
  readonly name: string;
  /** What the path has to end with, `/mail/hooks/<name>/<secret>`, for providers that sign nothing; several while it changes. @default none */
  readonly secret?: string | readonly string[] | undefined;
  /**
   * Longest body, bytes; a longer one is answered 413. A proof that stands in the body means that anybody's has to be read first: then it
   * should be no longer than the provider's are. @default 5242880 (5 MB), which is the most
   */
  readonly maxBodyBytes?: number | undefined;
  /**
   * Looks at the headers alone, where the proof stands there: what it refuses is refused before anything of the body is read.
   * `verify` is asked all the same. @default none
   */
  admit?(request: Pick<HookRequest, 'header'>): HookVerdict;
  /** Looks whether the request is the provider's. Compares in constant time, and never throws for what stands in the request. */
  verify(request: HookRequest, tools: HookTools): HookVerdict | Promise<HookVerdict>;
  /** What a verified request says. Undefined for a body that cannot be read; what is no feedback is left out. */
  read(
    request: HookRequest,
    tools: ReadTools,
  ): readonly FeedbackEvent[] | undefined | Promise<readonly FeedbackEvent[] | undefined>;
  /** Does what a verified request asks for, such as to confirm a subscription. Where it throws, the provider comes again. */
  confirm?(request: HookRequest, tools: HookTools): Promise<void>;
}

const NAME = /^[a-z][a-z0-9-]{0,31}$/;
/** Longest body of a webhook, bytes: providers batch thousands of events. */
export const MAX_BODY_BYTES = 5_242_880;
const SECRET = /^[A-Za-z0-9_-]{16,200}$/;

/** What is wrong with a secret of a path; undefined where nothing is. */
export function secretProblem(secret: string): string | undefined {
  return SECRET.test(secret)
    ? undefined
    : 'needs 16 to 200 characters that stand in a path: letters, digits, `_` and `-`';
}

function secretsProblem(secrets: readonly unknown[]): string | undefined {
  if (secrets.length === 0) return 'must have one at least';
  return secrets
    .map((secret) => (typeof secret === 'string' ? secretProblem(secret) : 'must be text'))
    .find((problem) => problem !== undefined);
}

/**
 * Defines a provider of the host's own, for the option `webhooks.others`.
 *
 * @throws MailRelayError `OPTIONS_INVALID`
 * @example
 * const acme = (key: string) => defineProvider({ name: 'acme', verify: (request) => ({ ok: isSigned(request, key) }), read });
 */
export function defineProvider(provider: WebhookProvider): WebhookProvider {
  const problem = providerProblem(provider);
  if (problem !== undefined) throw new MailRelayError('OPTIONS_INVALID', { option: 'provider', reason: problem });
  return Object.freeze({ ...provider });
}

/** What is wrong with a provider; undefined where nothing is. */
export function providerProblem(provider: unknown): string | undefined {
  if (typeof provider !== 'object' || provider === null) return 'a provider must be made by defineProvider()';
  const { name, secret, maxBodyBytes, admit, verify, read, confirm } = provider as Partial<
    Record<keyof WebhookProvider, unknown>
  >;
  if (typeof name !== 'string' || !NAME.test(name))
    return 'the name of a provider needs small letters, digits and `-`, at most 32';
  if (typeof verify !== 'function' || typeof read !== 'function')
    return `the provider ${name} needs the functions verify and read`;
  for (const [member, value] of Object.entries({ admit, confirm }))
    if (value !== undefined && typeof value !== 'function')
      return `${member} of the provider ${name} must be a function`;
  if (maxBodyBytes !== undefined && !isBodyLimit(maxBodyBytes))
    return `maxBodyBytes of the provider ${name} must be a whole number from 1 to ${MAX_BODY_BYTES}`;
  const wrong = secret === undefined ? undefined : secretsProblem([secret].flat());
  return wrong === undefined ? undefined : `the secret of the provider ${name} ${wrong}`;
}

function isBodyLimit(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_BODY_BYTES;
}
