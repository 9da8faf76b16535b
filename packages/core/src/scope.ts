/** Scopes of the suppression list: `all`, a stream, or `topic:<name>`. */
import { STREAMS, type Stream } from './message.ts';

/** What decides which scopes cover a message. */
interface Scoped {
  readonly stream: Stream;
  readonly topic: string | undefined;
}

const ALL = 'all';
const TOPIC = 'topic:';

/** The scope of a topic. */
export function topicScope(topic: string): string {
  return TOPIC + topic;
}

/** The topic of a scope; `undefined` where it is that of a stream. */
export function topicOf(scope: string): string | undefined {
  return scope.startsWith(TOPIC) ? scope.slice(TOPIC.length) : undefined;
}

/** Longest name of a topic, characters. */
const MAX_TOPIC = 200;

/** Whether a text is a scope. */
export function isScope(scope: unknown): scope is string {
  if (typeof scope !== 'string') return false;
  const topic = topicOf(scope);
  if (topic !== undefined) return topic !== '' && topic.length <= MAX_TOPIC;
  return scope === ALL || STREAMS.some((stream) => stream === scope);
}

/** Which mail an unsubscribe link ends: that of the topic, where the message has one, else that of the stream. */
export function scopeOf({ stream, topic }: Scoped): string {
  return topic === undefined ? stream : topicScope(topic);
}

/** The scopes that hold all mail of this one, and more; of a topic, its stream where that is known. */
export function scopesAbove(scope: string, stream: Stream | undefined): readonly string[] {
  return scopesOver(topicOf(scope) === undefined || stream === undefined ? [] : [stream], undefined);
}

/** Every scope that covers a message, widest first. */
export function scopesCovering({ stream, topic }: Scoped): readonly string[] {
  return scopesOver([stream], topic);
}

/** Every scope that covers mail of one of these streams. */
export function scopesOver(streams: readonly Stream[], topic: string | undefined): readonly string[] {
  return [ALL, ...streams, ...(topic === undefined ? [] : [topicScope(topic)])];
}
