import type { Content } from '../../message.ts';

/** The scopes of the suppression list that cover a message. */
export function scopesOf({ stream, topic }: Pick<Content, 'stream' | 'topic'>): string[] {
  return ['all', stream, ...(topic === undefined ? [] : [`topic:${topic}`])];
}
