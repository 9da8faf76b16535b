import { describe, expect, it } from 'vitest';
import { classifyReply, ruleOf } from '../../../packages/core/src/deliver/replies.ts';
import { REPLIES } from '../../../packages/core/src/deliver/reply-rules.ts';

/** Real replies, to RCPT where no step is named. */
const CASES: readonly (readonly [
  reply: string,
  type: string,
  reason: string,
  suppress?: boolean | undefined,
  step?: string,
])[] = [
  [
    '450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted, see http://postgrey.example',
    'deferred',
    'greylisted',
  ],
  ['550 5.7.30 REQUIRETLS support required', 'bounced', 'tls'],
  ['550 5.7.10 Encryption needed', 'bounced', 'tls'],
  ['452 4.2.2 The email account that you tried to reach is over quota', 'deferred', 'mailbox-full'],
  ['421 4.7.28 Our system has detected an unusual rate of unsolicited mail', 'deferred', 'rate-limited'],
  ['421-4.7.0 Try again later, closing connection. - gsmtp', 'deferred', 'rate-limited'],
  ['450 4.7.1 Error: too much mail from 192.0.2.5', 'deferred', 'rate-limited'],
  ['450 4.7.1 <a@b.example>: Recipient address rejected: Grey-listed, retry in 5 minutes', 'deferred', 'greylisted'],
  ['421 service not available, closing transmission channel', 'deferred', 'rate-limited'],
  ['421 4.3.2 Service not available, try again in 60 seconds', 'deferred', 'greylisted', undefined, 'CONN'],
  ['535 5.7.8 Authentication credentials invalid', 'deferred', 'auth-failure'],
  ['451 4.4.2 Timeout', 'deferred', 'network'],
  ['451 4.7.1 Please try again later', 'deferred', 'policy'],
  ['452 4.3.1 Insufficient system resources', 'deferred', 'system'],
  ['550 5.7.1 Message rejected as spam by content filtering', 'bounced', 'spam-rejected', false],
  ['554 5.7.1 Service unavailable; client host blocked using zen.spamhaus.org', 'bounced', 'blocked-ip', false],
  ['550 5.7.26 Unauthenticated email from example.com is not accepted due to DMARC policy', 'deferred', 'auth-failure'],
  ['550 5.1.2 Host unknown', 'bounced', 'no-such-domain', true],
  ['550 5.1.1 The email account that you tried to reach does not exist', 'bounced', 'no-such-mailbox', true],
  ['550 No such user here', 'bounced', 'no-such-mailbox', true],
  ['550 5.7.1 Recipient address rejected: user unknown to policy', 'bounced', 'policy', false],
  ['552 5.2.2 Mailbox over quota', 'bounced', 'mailbox-full', false],
  ['550 5.2.1 The email account that you tried to reach is disabled', 'bounced', 'inactive', false],
  ['552 5.3.4 Message size exceeds fixed maximum message size', 'bounced', 'message-too-big', false],
  ['554 5.6.0 Message contains a virus', 'bounced', 'content-rejected', false],
  ['550 5.7.1 Access denied', 'bounced', 'policy', false],
  ['501 Syntax error in parameters', 'bounced', 'protocol', false],
  ['451 Local error in processing', 'deferred', 'system'],
  ['554 Transaction failed', 'bounced', 'system', false],
  ['no reply at all', 'deferred', 'protocol'],
  ['550 5.1.2 Host unknown', 'bounced', 'no-such-domain', true, 'MESSAGE'],
  [
    '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup',
    'bounced',
    'no-such-mailbox',
    true,
    'MESSAGE',
  ],
  ['550 5.4.1 Recipient address rejected: mailbox unavailable', 'bounced', 'no-such-mailbox', true],
  ['550 SPF check failed', 'bounced', 'auth-failure', false],
  ['550 Invalid recipient', 'bounced', 'no-such-mailbox', true],
  ['554 Unknown local part ada in <ada@b.example>', 'bounced', 'no-such-mailbox', true],
  [
    '550 5.1.1 <sender@b.example>: Recipient address rejected: User unknown in virtual mailbox table',
    'bounced',
    'no-such-mailbox',
    true,
  ],
  ['452 4.3.1 Insufficient system storage', 'deferred', 'system'],
  ['452 4.2.2 Mailbox full', 'deferred', 'other', undefined, 'MAIL'],
  // About the sender, whenever it is said.
  ['550 5.1.8 <app@b.example>: Sender address rejected: Domain not found', 'bounced', 'blocked-sender', false],
  ['550 5.1.8 Sender address rejected: Domain not found', 'bounced', 'blocked-sender', false, 'MAIL'],
  ['550 5.7.1 Sender domain does not exist', 'bounced', 'blocked-sender', false, 'MAIL'],
  ['550 5.7.1 Sender domain does not exist', 'bounced', 'blocked-sender', false],
  ['553 5.1.1 sender mailbox unknown', 'bounced', 'blocked-sender', false, 'MAIL'],
  ['553 5.1.1 sender mailbox unknown', 'bounced', 'blocked-sender', false],
  ['550 5.1.7 Invalid address', 'bounced', 'blocked-sender', false],
  ['550 5.7.1 <host>: Helo command rejected: Host not found', 'bounced', 'blocked-sender', false],
  ['504 5.5.2 <host>: Helo command rejected: need fully-qualified hostname', 'bounced', 'blocked-sender', false],
  ['550 5.7.1 Client host rejected: cannot find your reverse hostname', 'bounced', 'blocked-ip', false],
  ['550 Verification failed for sender: invalid sender, no such user', 'bounced', 'blocked-sender', false],
  // What is said to MAIL is about the sender, whatever it says.
  ['550 5.1.1 User unknown', 'bounced', 'blocked-sender', false, 'MAIL'],
  ['550 5.1.2 Host not found', 'bounced', 'blocked-sender', false, 'MAIL'],
  // About the domain that every route sends for.
  ['550 5.7.1 Service unavailable, MailFrom domain is listed in Spamhaus. (S8002)', 'bounced', 'blocked-sender', false],
  ['554 5.7.9 Message not accepted for policy reasons. See https://senders.yahooinc.com', 'bounced', 'policy', false],
  [
    '421 4.7.0 This message is suspicious due to the very low reputation of the sending domain.',
    'deferred',
    'blocked-sender',
  ],
  // About our address.
  ['450 4.7.1 Client host [192.0.2.5] blocked using zen.spamhaus.org', 'deferred', 'blocked-ip'],
  ['450 4.7.1 <relay>: Helo command rejected: Host not found', 'deferred', 'blocked-sender'],
  ['421 4.7.1 [TS03] All messages from 192.0.2.5 will be permanently deferred', 'deferred', 'blocked-ip'],
  ['553 5.7.2 [TSS09] All messages from 192.0.2.5 will be permanently deferred', 'bounced', 'blocked-ip', false],
  // About our account at a provider: another route may do, and waiting may, too.
  ['550 Account suspended', 'deferred', 'auth-failure', undefined, 'MAIL'],
  ['454 Throttling failure: Daily message quota exceeded.', 'deferred', 'rate-limited', undefined, 'MESSAGE'],
  ['550 5.4.5 Daily user sending limit exceeded', 'deferred', 'rate-limited', undefined, 'MESSAGE'],
  ['451 Authentication failed: Maximum credits exceeded', 'deferred', 'rate-limited', undefined, 'MAIL'],
  ['552 5.3.4 Message size exceeds fixed limit', 'bounced', 'message-too-big', false, 'MAIL'],
  ['550 5.7.1 Relaying denied: host not found', 'bounced', 'policy', false],
  ['554 5.5.1 Error: no valid recipients', 'bounced', 'other', false, 'DATA'],
];

describe('replies', () => {
  for (const [reply, type, reason, suppress, step = 'RCPT'] of CASES) {
    it(`${reply}, said to ${step}, means ${type}, ${reason}`, () => {
      expect(classifyReply(reply, step)).toMatchObject({
        type,
        reason,
        ...(suppress === undefined ? {} : { suppress }),
      });
    });
  }

  it('of real servers are there for every row of the table', () => {
    const decided = new Set(CASES.map(([reply, , , , step = 'RCPT']) => ruleOf(reply, step)));
    expect(REPLIES.filter((rule) => !decided.has(rule))).toEqual([]);
  });

  it('suppress nobody but for what is said to RCPT or to the message', () => {
    for (const step of ['CONN', 'EHLO', 'MAIL', 'DATA', 'RSET']) {
      for (const [reply] of CASES) expect(classifyReply(reply, step)).not.toMatchObject({ suppress: true });
    }
  });

  it('are hard bounces where the address is bad for good, as what comes back as a mail is, and soft ones else', () => {
    const bad = new Set(['no-such-mailbox', 'no-such-domain', 'inactive']);
    for (const [reply, type, reason, , step = 'RCPT'] of CASES) {
      if (type !== 'bounced') continue;
      expect(classifyReply(reply, step), reply).toMatchObject({ kind: bad.has(reason) ? 'hard' : 'soft' });
    }
  });

  it('keep the enhanced status code', () => {
    expect(classifyReply('550 5.1.1 unknown', 'RCPT')).toMatchObject({ status: '5.1.1' });
  });
});
