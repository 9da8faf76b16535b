import {
  type FeedbackEvent,
  type HookRequest,
  type HookTools,
  MailRelayError,
  type WebhookProvider,
} from '../index.ts';

/** A webhook as the provider sends it. */
export interface SampleHook {
  readonly body: string | Uint8Array;
  /** Names in any case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A webhook, and what it says. */
export interface ProviderCase {
  readonly name: string;
  /** Verified as it stands. */
  readonly hook: SampleHook;
  /** What comes out, in order; each is compared by the fields that are given. */
  readonly events: readonly Partial<FeedbackEvent>[];
}

/** What {@link checkProvider} looks at. */
export interface ProviderCheck {
  readonly cases: readonly ProviderCase[];
  /** The time of the cases: within the window of those that are signed. @default now */
  readonly now?: Date;
  /** Texts by URL, such as certificates, for providers that get some. @default none */
  readonly pages?: Readonly<Record<string, string>>;
  /** The provider proves itself by a secret in the path alone, and takes each body. @default false */
  readonly unsigned?: boolean;
}

/** What a provider does wrong. */
export interface ProviderProblem {
  readonly case: string;
  readonly says: string;
}

/**
 * Tries a provider of the host's own with webhooks of it, and answers what is wrong: an event that is not as expected, an id that
 * changes, a webhook that counts with another body or without its headers, a body that makes it throw.
 *
 * @throws MailRelayError `OPTIONS_INVALID` without a case.
 * @example
 * expect(await checkProvider(acme('key'), { cases })).toEqual([]);
 */
export async function checkProvider(provider: WebhookProvider, check: ProviderCheck): Promise<ProviderProblem[]> {
  if (check.cases.length === 0) throw new MailRelayError('OPTIONS_INVALID', { reason: '`cases` needs at least one' });
  const tools = toolsOf(check);
  const found: ProviderProblem[] = [];
  for (const one of check.cases) {
    const says = (problem: string): void => void found.push({ case: one.name, says: problem });
    await readAsExpected(provider, one, tools, says).catch((error: unknown) => says(`throws: ${messageOf(error)}`));
    if (check.unsigned !== true) await refusesForgeries(provider, one.hook, tools, says);
    await takesAnything(provider, one.hook, tools, says);
  }
  return found;
}

type Say = (problem: string) => void;

async function readAsExpected(
  provider: WebhookProvider,
  one: ProviderCase,
  tools: HookTools,
  says: Say,
): Promise<void> {
  const request = requestOf(one.hook);
  const verdict = await provider.verify(request, tools);
  if (!verdict.ok) return says(`is refused: ${verdict.because}`);
  const events = await provider.read(request, tools);
  if (events === undefined) return says('cannot be read');
  if (!Array.isArray(events)) return says('answers no list of events');
  if (events.length !== one.events.length) says(`says ${events.length} things, and ${one.events.length} are expected`);
  const again = await provider.read(requestOf(one.hook), { now: tools.now + 1000 });
  events.forEach((event, index) => {
    const wanted = one.events[index] ?? {};
    for (const [name, value] of Object.entries(wanted)) {
      const is = JSON.stringify(event[name as keyof FeedbackEvent]);
      if (is !== JSON.stringify(value)) says(`event ${index}: ${name} is ${is}, not ${JSON.stringify(value)}`);
    }
    if (event.source !== provider.name) says(`event ${index}: source is not ${provider.name}`);
    if (again?.[index]?.id !== event.id) says(`event ${index}: its id changes when the webhook comes again`);
  });
  if (new Set(events.map(({ id }) => id)).size !== events.length) says('two events have one id');
}

/** A signature is over the body, or its token holds once. */
async function refusesForgeries(
  provider: WebhookProvider,
  hook: SampleHook,
  tools: HookTools,
  says: Say,
): Promise<void> {
  const bare = await provider.verify(requestOf({ body: hook.body }), tools);
  const right = await provider.verify(requestOf(hook), tools);
  const isTokenInBody = right.ok && right.once !== undefined;
  if (bare.ok && !isTokenInBody) says('counts without its headers');
  const changed = Buffer.from(hook.body);
  const half = Math.floor(changed.length / 2);
  changed[half] = (changed[half] ?? 0) ^ 1;
  const forged = await provider.verify(requestOf({ ...hook, body: changed }), tools);
  if (forged.ok && forged.once === undefined && !provesByHeader(hook)) says('counts with another body');
}

/** Who shows a password proves nothing of the body. */
function provesByHeader({ headers = {} }: SampleHook): boolean {
  return Object.keys(headers).some((name) => /^authorization$|token$/i.test(name));
}

async function takesAnything(provider: WebhookProvider, hook: SampleHook, tools: HookTools, says: Say): Promise<void> {
  const whole = Buffer.from(hook.body);
  const cuts = [0, 1, Math.floor(whole.length / 3), whole.length - 1].map((end) => whole.subarray(0, end));
  const others = ['null', '[]', '[null]', '{}', '"text"', '1', '[[[]]]', '{"__proto__":{}}', '\u0000', '%'].map(
    (text) => Buffer.from(text),
  );
  for (const body of [...cuts, ...others]) {
    const request = requestOf({ ...hook, body });
    try {
      await provider.verify(request, tools);
      await provider.read(request, tools);
    } catch (error) {
      const shown = JSON.stringify(body.toString('utf8').slice(0, 20));
      says(`throws for the body ${shown}: ${messageOf(error)}`);
    }
  }
}

function toolsOf({ now = new Date(), pages = {} }: ProviderCheck): HookTools {
  return {
    now: now.getTime(),
    async get(url) {
      const page = Object.hasOwn(pages, url) ? pages[url] : undefined;
      if (page === undefined) throw new Error(`there is no page ${url}`);
      return page;
    },
  };
}

function requestOf({ body, headers = {} }: SampleHook): HookRequest {
  const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { body: Buffer.from(body), header: (name) => byName.get(name) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
