import fc from 'fast-check';
import { expect, it } from 'vitest';
import { asciiJson, written } from '../../../../packages/core/src/deliver/providers/writing.ts';

it('JSON in a header is ASCII, and reads the same however it is unfolded', () => {
  const names = fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 10 });
  fc.assert(
    fc.property(names, (tags) => {
      const header = written([['X-Test', asciiJson({ tags })]]);
      expect(header).toMatch(/^(?:[ -~]{1,998}\r\n)+$/);
      const value = header.slice('X-Test: '.length);
      for (const space of ['', ' ', '\t'])
        expect(JSON.parse(value.replace(/\r\n /g, space))).toEqual(JSON.parse(JSON.stringify({ tags })));
    }),
  );
});
