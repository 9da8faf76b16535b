import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBreaker } from '../../../packages/core/src/route/breaker.ts';

const failing = (times: number, now = 0) => {
  const breaker = createBreaker(now);
  for (let index = 0; index < times; index++) breaker.failed(now);
  return breaker;
};

describe('the breaker of a route', () => {
  it('opens after three failures in a row, and not after single ones', () => {
    const breaker = createBreaker(0);
    for (let index = 0; index < 10; index++) {
      breaker.failed(index);
      breaker.failed(index);
      breaker.worked(index);
    }
    expect(breaker.pass(10)).toBe('closed');
    expect(failing(3).pass(0)).toBe('open');
  });

  it('opens at once where trying again is of no use', () => {
    const breaker = createBreaker(0);
    breaker.failed(0, true);
    expect(breaker.pass(1)).toBe('open');
  });

  it('lets one mail go to see whether the route works again, and closes when it does', () => {
    const breaker = failing(3);
    const { probeAt = 0 } = breaker.health();
    expect(breaker.pass(probeAt - 1)).toBe('open');
    expect([breaker.pass(probeAt), breaker.pass(probeAt)]).toEqual(['probe', 'open']);
    breaker.worked(probeAt + 1);
    expect(breaker.pass(probeAt + 2)).toBe('closed');
    expect(breaker.health()).toEqual({ state: 'closed', since: probeAt + 1, failures: 0, probeAt: undefined });
  });

  it('waits twice as long after each probe that fails, five minutes at most', () => {
    const breaker = failing(3);
    const waits: number[] = [];
    for (let probes = 0, now = 0; probes < 10; probes++) {
      const { probeAt = 0 } = breaker.health();
      waits.push(probeAt - now);
      now = probeAt;
      expect(breaker.pass(now)).toBe('probe');
      breaker.failed(now);
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300, 300].map((seconds) => seconds * 1000));
  });

  it('lets a probe go when the clock is set back, and names no time that lies ahead of it from then on', () => {
    const breaker = failing(3, 3_600_000);
    expect([breaker.pass(10), breaker.pass(10)]).toEqual(['probe', 'open']);
    expect(breaker.health().probeAt).toBe(10);
  });

  it('takes another probe where nothing came of the first', () => {
    const breaker = failing(3);
    const { probeAt = 0 } = breaker.health();
    expect(breaker.pass(probeAt)).toBe('probe');
    breaker.gaveUp();
    expect(breaker.pass(probeAt + 1)).toBe('probe');
  });

  it('never has two probes on their way, and always lets one go in the end', () => {
    const step = fc.constantFrom('pass', 'worked', 'failed', 'final', 'gaveUp', 'later');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const breaker = createBreaker(0);
        let now = 0;
        let probes = 0;
        for (const one of steps) {
          if (one === 'later') now += 7000;
          else if (one === 'pass') probes += breaker.pass(now) === 'probe' ? 1 : 0;
          else if (one === 'gaveUp' || one === 'worked') breaker[one](now);
          else breaker.failed(now, one === 'final');
          if (one !== 'pass' && one !== 'later') probes = 0;
          expect(probes).toBeLessThanOrEqual(1);
        }
        breaker.gaveUp();
        expect(breaker.pass(now + 300_000)).not.toBe('open');
      }),
    );
  });
});
