import { describe, expect, it } from 'vitest';
import { isScope, scopeOf, scopesCovering, scopesOver, topicOf, topicScope } from '../../packages/core/src/scope.ts';

describe('scopes', () => {
  it('cover a message from the widest to its topic', () => {
    expect(scopesCovering({ stream: 'broadcast', topic: undefined })).toEqual(['all', 'broadcast']);
    expect(scopesCovering({ stream: 'transactional', topic: 'orders' })).toEqual([
      'all',
      'transactional',
      'topic:orders',
    ]);
    expect(scopesOver(['transactional', 'broadcast'], undefined)).toEqual(['all', 'transactional', 'broadcast']);
  });

  it('of an unsubscribe link are the topic, or else the stream', () => {
    expect(scopeOf({ stream: 'broadcast', topic: 'news' })).toBe('topic:news');
    expect(scopeOf({ stream: 'broadcast', topic: undefined })).toBe('broadcast');
  });

  it('are told from other values', () => {
    expect(['all', 'transactional', 'broadcast', 'topic:x'].every(isScope)).toBe(true);
    expect(['', 'topic:', 'news', 'All', 5, undefined, null, {}].some(isScope)).toBe(false);
    expect([topicOf(topicScope('a:b')), topicOf('broadcast')]).toEqual(['a:b', undefined]);
  });
});
