import { expect, it, vi } from 'vitest';
import { defaultLogger } from '../../packages/core/src/logger.ts';

it('writes one line, whatever others have written into what it says', () => {
  const said = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const reply = '550-5.7.1 no\r\nmail-relay: all is well\u001b[2J\u2028\u0085é';
  defaultLogger.warn({ reply, count: 2, none: undefined, list: ['a\nb'] }, 'a warning');
  expect(said.mock.calls).toEqual([
    [
      'mail-relay: a warning reply=550-5.7.1 no\\r\\nmail-relay: all is well\\u001b[2J\\u2028\\u0085é count=2 list=["a\\nb"]',
    ],
  ]);
  said.mockRestore();
});
