import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DELIVERY_STATES,
  type DeliveryState,
  decodeId,
  encodeId,
  statesBefore,
  type Transition,
  transition,
} from '../../packages/core/src/message.ts';

const TRANSITIONS: readonly Transition[] = [
  'due',
  'claim',
  'release-lease',
  'send',
  'defer',
  'bounce',
  'expire',
  'suppress',
  'cancel',
  'hold',
  'release',
  'retry',
  'confirm',
  'complain',
];
const OPERATOR: readonly Transition[] = ['cancel', 'hold', 'release', 'retry'];
const AUTOMATIC = TRANSITIONS.filter((by) => !OPERATOR.includes(by));
const FEEDBACK: readonly Transition[] = ['bounce', 'confirm', 'complain'];
const OVER: readonly DeliveryState[] = [
  'sent',
  'delivered',
  'bounced',
  'complained',
  'failed',
  'suppressed',
  'cancelled',
];

const state = fc.constantFrom(...DELIVERY_STATES);
const walk = (start: DeliveryState, steps: readonly Transition[]): DeliveryState[] => {
  const path = [start];
  for (const by of steps) path.push(transition(path.at(-1) as DeliveryState, by) ?? (path.at(-1) as DeliveryState));
  return path;
};

describe('the state of a delivery', () => {
  it('never goes back to waiting by itself once it is over', () => {
    fc.assert(
      fc.property(fc.constantFrom(...OVER), fc.array(fc.constantFrom(...AUTOMATIC)), (start, steps) => {
        expect(walk(start, steps).every((passed) => OVER.includes(passed))).toBe(true);
      }),
    );
  });

  it('is one of the known states after any steps', () => {
    fc.assert(
      fc.property(state, fc.array(fc.constantFrom(...TRANSITIONS)), (start, steps) => {
        for (const passed of walk(start, steps)) expect(DELIVERY_STATES).toContain(passed);
      }),
    );
  });

  it('does not change when the same feedback comes again', () => {
    fc.assert(
      fc.property(state, fc.constantFrom(...FEEDBACK), (start, by) => {
        const once = walk(start, [by]).at(-1) as DeliveryState;
        expect(walk(once, [by]).at(-1)).toBe(once);
      }),
    );
  });

  it('ends the same in whatever order a bounce and a late confirmation come', () => {
    expect(walk('sent', ['confirm', 'bounce']).at(-1)).toBe('bounced');
    expect(walk('sent', ['bounce', 'confirm']).at(-1)).toBe('bounced');
  });

  it('is not moved by feedback for a mail that never left', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...(['scheduled', 'queued', 'deferred', 'held', 'failed', 'suppressed', 'cancelled'] as const)),
        fc.constantFrom(...FEEDBACK),
        (start, by) => {
          expect(transition(start, by)).toBeUndefined();
        },
      ),
    );
  });

  it('only lets an attempt out of sending that is running', () => {
    for (const by of ['send', 'defer', 'release-lease'] as const) expect(statesBefore(by)).toEqual(['sending']);
  });

  it('lets an operator stop only what still waits, and never what is on its way', () => {
    for (const by of ['cancel', 'hold'] as const) {
      for (const over of [...OVER, 'sending'] as const) expect(transition(over, by)).toBeUndefined();
    }
  });

  it('agrees with the states that a transition starts from', () => {
    fc.assert(
      fc.property(state, fc.constantFrom(...TRANSITIONS), (from, by) => {
        expect(transition(from, by) !== undefined).toBe(statesBefore(by).includes(from));
      }),
    );
  });

  it('keeps its storage codes', () => {
    expect(DELIVERY_STATES).toEqual([
      'scheduled',
      'queued',
      'sending',
      'deferred',
      'held',
      'sent',
      'delivered',
      'bounced',
      'complained',
      'failed',
      'suppressed',
      'cancelled',
    ]);
  });
});

describe('ids', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('msg', 'dlv', 'evt'),
        fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
        (prefix, id) => {
          expect(decodeId(prefix, encodeId(prefix, id))).toBe(id);
        },
      ),
    );
  });

  it('have one spelling, and text that is none is undefined', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^msg_[0-9a-zA-Z]{0,14}$/)), (text) => {
        const id = decodeId('msg', text);
        expect(id === undefined || encodeId('msg', id) === text).toBe(true);
      }),
    );
    expect(decodeId('msg', 'dlv_1')).toBeUndefined();
    expect(decodeId('msg', 'msg_01')).toBeUndefined();
  });
});
