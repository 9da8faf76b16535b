import { describe, expect, it } from 'vitest';
import { classifyReply } from '../../../packages/core/src/deliver/replies.ts';

const CASES: readonly (readonly [reply: string, type: string, reason: string, suppress?: boolean])[] = [
  [
    '450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted, see http://postgrey.example',
    'deferred',
    'greylisted',
  ],
  ['452 4.2.2 The email account that you tried to reach is over quota', 'deferred', 'mailbox-full'],
  ['421 4.7.28 Our system has detected an unusual rate of unsolicited mail', 'deferred', 'rate-limited'],
  ['421 service not available, closing transmission channel', 'deferred', 'rate-limited'],
  ['535 5.7.8 Authentication credentials invalid', 'deferred', 'auth-failure'],
  ['451 4.4.2 Timeout', 'deferred', 'network'],
  ['451 4.7.1 Please try again later', 'deferred', 'policy'],
  ['452 4.3.1 Insufficient system resources', 'deferred', 'system'],
  ['550 5.7.1 Message rejected as spam by content filtering', 'bounced', 'spam-rejected', false],
  ['554 5.7.1 Service unavailable; client host blocked using zen.spamhaus.org', 'bounced', 'blocked', false],
  ['550 5.7.26 Unauthenticated email from example.com is not accepted due to DMARC policy', 'deferred', 'auth-failure'],
  ['550 5.1.2 Host unknown', 'bounced', 'no-such-domain', true],
  ['550 5.1.1 The email account that you tried to reach does not exist', 'bounced', 'no-such-mailbox', true],
  ['550 No such user here', 'bounced', 'no-such-mailbox', true],
  ['550 5.7.1 Recipient address rejected: user unknown to policy', 'bounced', 'policy', false],
  ['552 5.2.2 Mailbox over quota', 'bounced', 'mailbox-full', false],
  ['550 5.2.1 The email account that you tried to reach is disabled', 'bounced', 'mailbox-inactive', false],
  ['552 5.3.4 Message size exceeds fixed maximum message size', 'bounced', 'message-too-large', false],
  ['554 5.6.0 Message contains a virus', 'bounced', 'content-rejected', false],
  ['550 5.7.1 Access denied', 'bounced', 'policy', false],
  ['501 Syntax error in parameters', 'bounced', 'protocol', false],
  ['451 Local error in processing', 'deferred', 'other'],
  ['554 Transaction failed', 'bounced', 'other', false],
  ['no reply at all', 'deferred', 'protocol'],
];

describe('replies', () => {
  for (const [reply, type, reason, suppress] of CASES) {
    it(`${reply} means ${type}, ${reason}`, () => {
      expect(classifyReply(reply)).toMatchObject({ type, reason, ...(suppress === undefined ? {} : { suppress }) });
    });
  }

  it('keep the enhanced status code', () => {
    expect(classifyReply('550 5.1.1 unknown')).toMatchObject({ status: '5.1.1' });
  });
});
