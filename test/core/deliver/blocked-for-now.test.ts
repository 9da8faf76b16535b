import { describe, expect, it } from 'vitest';
import { classifyReply } from '../../../packages/core/src/deliver/replies.ts';

const STEPS = ['CONN', 'MAIL', 'RCPT', 'DATA', 'MESSAGE'];

/** That our address or its name is refused, as servers say it for now. */
const BLOCKS: readonly (readonly [system: string, reply: string])[] = [
  [
    'Postfix',
    '450 4.7.1 Service unavailable; Client host [192.0.2.5] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.5',
  ],
  ['Postfix', '421 4.7.1 Service unavailable; client host [192.0.2.5] blocked using bl.spamcop.net'],
  ['Postfix', '450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.5]'],
  ['Exim', '451 Your IP 192.0.2.5 is blacklisted'],
  ['Exim', '451 rejected because 192.0.2.5 is in a black list at b.barracudacentral.org'],
  ['Exim', '450 192.0.2.5 is listed at dnsbl.sorbs.net. Please try again in 300 seconds'],
  ['Exchange', '450 4.7.606 Access denied, banned sending IP [192.0.2.5]'],
  [
    'Exchange',
    "421 4.7.1 Unfortunately, messages from [192.0.2.5] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).",
  ],
  ['Exchange', '451 4.7.1 Recipient not authorized, your IP has been found on a block list'],
  ['Proofpoint', '421 4.7.0 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.5'],
  ['Proofpoint', '450 4.7.1 Service unavailable; client [192.0.2.5] blocked using Proofpoint Dynamic Reputation'],
  [
    'Barracuda',
    '450-Service unavailable; Client host [mail.sender.test] blocked using 450-Barracuda Reputation; 450 http://www.barracudanetworks.com/reputation/?r=1&ip=192.0.2.5',
  ],
  [
    'Cloudmark',
    '421 bizsmtp IB103. Connection refused. 192.0.2.5 has a poor reputation on Cloudmark Sender Intelligence (CSI). Please visit http://csi.cloudmark.com/reset-request/?ip=192.0.2.5 to request a delisting.',
  ],
  ['Cloudmark', '450 Rejected: 192.0.2.5, listed at http://csi.cloudmark.com/reset-request for remediation.'],
  [
    'Orange',
    '421 mwinf5c04 ME Adresse IP source bloquee pour incident de spam. Client host blocked for spamming issues. OFR006_102 Ref http://csi.cloudmark.com/reset-request/?ip=192.0.2.5',
  ],
  ['Free', '421 Too many spams from your IP (192.0.2.5), please visit http://postmaster.free.fr/'],
  [
    'GMX',
    '421-gmx.net (mxgmx009) Nemesis ESMTP Service not available 421-No SMTP service 421-IP address is block listed. 421 For explanation visit https://postmaster.gmx.net/en/case?c=r0301&i=ip&v=192.0.2.5',
  ],
  [
    'GMX',
    '421-gmx.net (mxgmx116) Nemesis ESMTP Service not available 421-No SMTP service 421-Bad DNS PTR resource record. 421 For explanation visit http://postmaster.gmx.com/en/error-messages?ip=192.0.2.5&c=rdns',
  ],
  [
    'Google',
    '421-4.7.0 [192.0.2.5 15] Our system has detected that this message is 421-4.7.0 suspicious due to the very low reputation of the sending IP 421 4.7.0 address. - gsmtp',
  ],
  ['Yahoo', '450 4.7.25 Forward-confirmed reverse DNS failed for 192.0.2.5'],
  [
    'Trend Micro',
    '450 Service temporarily unavailable; [192.0.2.5] blocked using Trend Micro Email Reputation Service',
  ],
  ['LogSat', '421 Your IP is temporarily blocked, please try again later'],
];

/** What is none: the reason, and the fault where the server ends the conversation. */
const OTHERS: readonly (readonly [reply: string, reason: string])[] = [
  ['450 4.7.1 Client host rejected: Greylisted, try again later', 'greylisted'],
  ['450 4.2.0 <a@b.example>: Greylisted, see https://www.spamhaus.org/faq', 'greylisted'],
  ['451 4.7.1 Please try again later', 'policy'],
  ['451 4.7.850 Access denied, please try again later', 'policy'],
  ['450 4.7.1 Client host rejected: Service unavailable', 'policy'],
  ['451 4.7.1 Connection deferred for now, try again in 60 seconds', 'greylisted'],
  ['450 4.2.1 The mailbox is blocked', 'inactive'],
  ['450 4.7.1 You are blocked by the recipient', 'policy'],
  ["450 4.7.1 The sender is on the recipient's blacklist", 'policy'],
  ['450 4.7.1 <app@sender.test>: Sender address rejected: blacklisted', 'policy'],
  ['450 4.7.1 Your domain is listed in dbl.spamhaus.org (DBL)', 'blocked-sender'],
  ['452 4.2.2 Mailbox full, your IP is blacklisted', 'mailbox-full'],
  [
    '451 4.7.650 The mail server [192.0.2.5] has been temporarily rate limited due to IP reputation. (S775)',
    'rate-limited',
  ],
  ['450 4.7.1 Too many connections from 192.0.2.5: the address is blocked for 10 minutes', 'rate-limited'],
  ['450 4.5.1 Too many errors, you have been temporarily blacklisted', 'rate-limited'],
  ['450 4.3.2 Service currently unavailable', 'system'],
  ['451 4.3.0 barracuda.example.org: temporary failure', 'system'],
  ['451 4.3.2 d123456a.ess.barracudanetworks.com is too busy, try again later', 'system'],
  ['451 4.3.0 Temporary lookup failure: dnsbl query timed out', 'system'],
  ['451 4.3.0 Cloudmark authority service unavailable, try again later', 'system'],
  ['450 4.4.3 DNS PTR lookup temporarily failed, try again', 'network'],
  ['451 4.7.1 Temporarily deferred, unknown ip reputation, try again in 900 seconds', 'greylisted'],
  ['451 4.7.1 Try again later, your IP is not yet listed, wait 300 seconds', 'policy'],
];

describe('that we are blocked, said for now', () => {
  it.each(BLOCKS)('%s: %s', (_, reply) => {
    for (const step of STEPS)
      expect(classifyReply(reply, step), step).toMatchObject({
        type: 'deferred',
        reason: 'blocked-ip',
        fault: 'refused',
      });
  });

  it('is the name in EHLO, too', () => {
    expect(classifyReply('450 4.7.1 <relay>: Helo command rejected: Host not found', 'RCPT')).toMatchObject({
      type: 'deferred',
      reason: 'blocked-sender',
      fault: 'refused',
    });
  });

  it('waits five minutes at least, or as long as the reply asks', () => {
    expect(classifyReply('451 Your IP is blacklisted', 'MAIL')).toMatchObject({ retryAfterMs: 300_000 });
    expect(classifyReply('451 Your IP is blacklisted for now, retry in 2 hours', 'MAIL')).toMatchObject({
      retryAfterMs: 7_200_000,
    });
  });

  it.each(OTHERS)('is not %s', (reply, reason) => {
    expect(classifyReply(reply, 'RCPT')).toMatchObject({ type: 'deferred', reason, fault: undefined });
  });

  it.each([
    '451 Temporary lookup failure: dnsbl query timed out',
    '450 4.1.1 <u@x.example>: Recipient address rejected: unverified address: connect to d1.ess.barracudanetworks.com[192.0.2.1]:25: Connection timed out',
  ])('moves no mail where the receiver could not find something out: %s', (reply) => {
    expect(classifyReply(reply, 'RCPT')).toMatchObject({ type: 'deferred', fault: undefined });
  });

  it('is said for the recipient nowhere: who ends the conversation for another reason is away', () => {
    expect(classifyReply('421 4.7.0 Try again later, closing connection', 'RCPT')).toMatchObject({
      fault: 'connection',
    });
  });
});

describe('a rate that is named', () => {
  it.each([
    ['451 4.7.1 Rate limit exceeded, try again in 10 minutes', 600_000],
    ['421 4.7.0 Too many messages, try again in 300 seconds', 300_000],
    ['450 4.7.1 Too many concurrent SMTP connections, please try again in 60 seconds', 60_000],
    ['421 4.7.28 Unusual rate of mail, try again in 15 min', 900_000],
  ])('is no greylisting, and is waited for: %s', (reply, retryAfterMs) => {
    expect(classifyReply(reply, 'RCPT')).toMatchObject({ type: 'deferred', reason: 'rate-limited', retryAfterMs });
  });

  it('is not a full mailbox, nor patience that is asked of all', () => {
    expect(classifyReply('452 4.2.2 Mailbox full, try again in 10 minutes', 'RCPT')).toMatchObject({
      reason: 'mailbox-full',
    });
    expect(classifyReply('421 4.7.0 Try again in 5 minutes, closing', 'RCPT')).toMatchObject({ reason: 'greylisted' });
  });
});
