import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createMac } from '../../packages/core/src/mac.ts';
import { createMark } from '../../packages/core/src/mark.ts';

const ofSecret = (secret: string) => createMark(createMac(Buffer.from(secret)));

it('is the same for the same number, and another one for any other number, kind or secret', () => {
  const mark = ofSecret('one');
  const again = ofSecret('one');
  const other = ofSecret('two');
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (number, another) => {
      const own = mark('delivery', number);
      expect(own).toMatch(/^[\w-]{8}$/);
      expect(again('delivery', number)).toBe(own);
      expect(mark('message', number)).not.toBe(own);
      expect(other('delivery', number)).not.toBe(own);
      if (another !== number) expect(mark('delivery', another)).not.toBe(own);
    }),
  );
});
