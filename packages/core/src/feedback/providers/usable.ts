import { MailRelayError } from '../../errors.ts';
import { FEEDBACK_TYPES, type FeedbackEvent } from '../event.ts';

/** Longest texts of an event, characters; all others are cut at {@link MOST}. */
const LONGEST: Readonly<Partial<Record<keyof FeedbackEvent, number>>> = { diagnostic: 1000, raw: 8000, url: 2048 };
const MOST = 1000;
const TEXTS = [
  'source',
  'deliveryId',
  'unsignedId',
  'messageId',
  'providerId',
  'recipient',
  'originalRecipient',
  'reason',
  'fault',
  'status',
  'diagnostic',
  'reportingMta',
  'url',
  'raw',
] as const satisfies readonly (keyof FeedbackEvent)[];

/**
 * What a provider has read, as the store may have it: events that are none are left out, so that they lose no others, and told.
 *
 * @param tell - gets a MailRelayError `PROVIDER_BROKEN`, at most one for each call
 * @throws MailRelayError `PROVIDER_BROKEN` where it is no list
 */
export function usableEvents(provider: string, read: unknown, tell: (error: MailRelayError) => void): FeedbackEvent[] {
  const broken = (reason: string): MailRelayError =>
    new MailRelayError('PROVIDER_BROKEN', { provider, reason: `read() of the provider ${provider} ${reason}` });
  if (!Array.isArray(read)) throw broken('must answer a list of events, or undefined for a body that it cannot read');
  const all: readonly unknown[] = read;
  const problems = all.map(problemOf);
  const index = problems.findIndex((problem) => problem !== undefined);
  if (index >= 0)
    tell(broken(`answers events that are none, and they are left out: the one at ${index} ${problems[index]}`));
  return all.filter((_, at) => problems[at] === undefined).map((event) => shortened(event as FeedbackEvent));
}

function problemOf(event: unknown): string | undefined {
  if (typeof event !== 'object' || event === null) return 'is no object';
  const { id, type, at, kind, code, ...rest } = event as Readonly<Record<string, unknown>>;
  if (typeof id !== 'string' || id === '') return 'has no `id`';
  if (!FEEDBACK_TYPES.some((known) => known === type))
    return `has a \`type\` that is none of ${FEEDBACK_TYPES.join(', ')}`;
  if (typeof at !== 'number' || !Number.isFinite(at)) return 'has no time in ms as `at`';
  if (typeof rest.source !== 'string' || rest.source === '') return 'has no `source`';
  if (kind !== undefined && kind !== 'hard' && kind !== 'soft') return 'has a `kind` that is neither hard nor soft';
  if (code !== undefined && typeof code !== 'number') return 'has a `code` that is no number';
  const wrong = TEXTS.find((name) => rest[name] !== undefined && typeof rest[name] !== 'string');
  return wrong && `has a \`${wrong}\` that is no text`;
}

/** Whoever may send webhooks writes these, and they are stored. */
function shortened(event: FeedbackEvent): FeedbackEvent {
  const long = TEXTS.filter((name) => (event[name]?.length ?? 0) > (LONGEST[name] ?? MOST));
  if (long.length === 0) return event;
  const cut = long.map((name) => [name, event[name]?.slice(0, LONGEST[name] ?? MOST)] as const);
  return { ...event, ...Object.fromEntries(cut) };
}
