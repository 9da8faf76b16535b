import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyReply } from '../../../packages/core/src/deliver/replies.ts';
import { retryAfterOf } from '../../../packages/core/src/deliver/retry-after.ts';
import { onCpu } from '../../support/cpu.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** What servers say, and the seconds that it means. */
const CASES: readonly (readonly [reply: string, seconds: number | undefined])[] = [
  ['450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted, try again in 300 seconds', 300],
  ['451 4.7.1 Greylisting in action, please come back in 00:04:55', 295],
  ['451 4.7.1 Greylisting in action, please come back in 04:55', 295],
  ['450 4.7.1 Client host rejected: greylisted, retry in 5 minutes', 300],
  ['450 <a@b.example>: Recipient address rejected: Greylisted for 300 seconds (see http://postgrey.example)', 300],
  ['451 4.7.1 Greylisted for 5 minutes', 300],
  ['451 4.7.1 You have been greylisted for at least 10 min', 600],
  ['450 4.7.1 Greylisting enforced for 120 seconds', 120],
  ['450 4.7.1 Grey-listed, retry in 5 minutes', 300],
  ['450 4.7.1 Greylisting in effect, enforced for 00:04:00', 240],
  ['450 4.7.1 Greylisted until 12:34:56', undefined],
  [
    '450 4.7.1 <a@b.example>: Recipient address rejected: Intentional policy rejection, please try again later',
    undefined,
  ],
  ['421 4.7.1 Rate limited. Retry-After: 120', 120],
  ['421 4.7.0 Too many messages. Retry after 90', 90],
  ['451 4.7.1 Please wait 10 min and try again', 600],
  ['451 4.7.1 temporarily deferred, try again in 1 hour and 30 minutes', 5400],
  ['451 4.7.1 Mail from your host is delayed for 15mins', 900],
  ['450 4.3.2 Service busy, please retry after at least 30 seconds', 30],
  ['451 In 7 minutes this will work', 420],
  ['450 4.7.1 try again in 2 s', 10],
  ['450 4.7.1 try again in 900 hours', 21_600],
  ['451 4.7.1 Please try again later', undefined],
  [
    '421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP 192.0.2.5',
    undefined,
  ],
  ['452 4.2.2 Mailbox over its quota of 300 messages', undefined],
  ['421 4.7.0 [TSS04] Messages from 192.0.2.5 temporarily deferred due to unexpected volume - 4.16.55.1', undefined],
  ['450 4.1.1 try again, ticket 30 mail servers', undefined],
];

describe('the delay that a reply names', () => {
  it.each(CASES)('%s', (reply, seconds) => {
    expect(retryAfterOf(reply)).toBe(seconds === undefined ? undefined : seconds * SECOND);
  });

  it('reaches the outcome, before that of the table', () => {
    expect(classifyReply('450 4.2.0 Greylisted, try again in 7 minutes', 'RCPT')).toMatchObject({
      type: 'deferred',
      reason: 'greylisted',
      retryAfterMs: 7 * MINUTE,
    });
    expect(classifyReply('421 4.7.28 unusual rate', 'MAIL')).toMatchObject({ retryAfterMs: 5 * MINUTE });
  });

  it('is read back as it was written, within its bounds', () => {
    const units = fc.constantFrom(
      ...([
        ['second', SECOND],
        ['sec', SECOND],
        ['s', SECOND],
        ['minute', MINUTE],
        ['min', MINUTE],
        ['hours', 60 * MINUTE],
      ] as const),
    );
    const words = fc.constantFrom('try again in', 'please retry after', 'wait', 'come back in', 'retry in about');
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 5000 }), units, (asks, number, [unit, ms]) => {
        const found = retryAfterOf(`451 4.7.1 Deferred: ${asks} ${number} ${unit}.`);
        expect(found).toBe(Math.min(6 * 60 * MINUTE, Math.max(10 * SECOND, number * ms)));
      }),
    );
  });

  it('is none or within its bounds, whatever a server says, and soon found', () => {
    const part = fc.oneof(
      fc.string(),
      fc.constantFrom('retry', 'again', 'in', '5', 'minutes', '00:04:55', ':', ' ', 'after', 's', '9999999'),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 200 }), (parts) => {
        const found = retryAfterOf(`450 ${parts.join(' ')}`) ?? 10 * SECOND;
        expect(found).toBeGreaterThanOrEqual(10 * SECOND);
        expect(found).toBeLessThanOrEqual(360 * MINUTE);
      }),
    );
    expect(onCpu(() => retryAfterOf(`450 ${'retry after in 1 '.repeat(100_000)}`)).ms).toBeLessThan(500);
    expect(onCpu(() => retryAfterOf(`450 ${'greylisted for '.repeat(100_000)}`)).ms).toBeLessThan(500);
    expect(onCpu(() => retryAfterOf(`450 ${'wait '.repeat(100_000)}`)).ms).toBeLessThan(500);
  });
});
