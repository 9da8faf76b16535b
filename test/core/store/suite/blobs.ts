import { describe, expect, it } from 'vitest';
import { benchOn, type OpenStore } from './bench.ts';

/** What a store's blobs has to do. */
export function blobsSuite(name: string, open: OpenStore): void {
  describe(`${name}: blobs`, () => {
    it('keep bytes under a key, the first of them, and only the newest when trimmed', async () => {
      const { store } = await benchOn(open);
      const { blobs } = store;
      await blobs.put('captured', 'one', Buffer.from('first'));
      await blobs.put('captured', 'one', Buffer.from('second'));
      await blobs.put('captured', 'two', Buffer.from([0, 255]));
      expect(Buffer.from((await blobs.get('captured', 'one')) ?? []).toString()).toBe('first');
      expect([await blobs.has('captured', 'two'), await blobs.has('template', 'two')]).toEqual([true, false]);
      expect((await blobs.list('captured', 10)).map(({ key, bytes }) => [key, bytes])).toEqual([
        ['two', 2],
        ['one', 5],
      ]);
      await blobs.trim('captured', 1);
      expect((await blobs.list('captured', 10)).map(({ key }) => key)).toEqual(['two']);
    });
  });
}
