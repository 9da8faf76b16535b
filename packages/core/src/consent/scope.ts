import type { Stream } from '../message.ts';

/** Which mail an unsubscribe link ends: that of the topic, where the message has one, else that of the stream. */
export function scopeOf(message: { readonly stream: Stream; readonly topic: string | undefined }): string {
  return message.topic === undefined ? message.stream : topicScope(message.topic);
}

/** Every scope of the suppression list that covers a message, widest first. */
export function scopesCovering(message: {
  readonly stream: Stream;
  readonly topic: string | undefined;
}): readonly string[] {
  const scopes = ['all', message.stream];
  return message.topic === undefined ? scopes : [...scopes, topicScope(message.topic)];
}

/** The scope of a topic. */
function topicScope(topic: string): string {
  return `topic:${topic}`;
}
