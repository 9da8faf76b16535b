import { expect, it } from 'vitest';
import { createRecent } from '../../../packages/core/src/store/sqlite/recent.ts';

it('keeps what is asked for, however much comes in between, and forgets the rest', () => {
  const recent = createRecent<string, number>(10);
  recent.set('asked for', 1);
  recent.set('never again', 2);
  for (let index = 0; index < 100; index++) {
    recent.set(`passing ${index}`, index);
    expect(recent.get('asked for')).toBe(1);
  }
  expect(recent.get('never again')).toBeUndefined();
  expect(recent.get('passing 99')).toBe(99);
  recent.clear();
  expect(recent.get('asked for')).toBeUndefined();
});
