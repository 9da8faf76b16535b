import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { classifyReply } from '../../../packages/core/src/deliver/replies.ts';
import { judge } from '../../../packages/core/src/reasons/judge.ts';

/** Real replies by which receivers refuse our address: another route may take the mail. */
const REFUSED: readonly (readonly [who: string, reply: string])[] = [
  [
    'Google, of a rate',
    '550-5.7.28 [192.0.2.5      19] Our system has detected an unusual rate of 550-5.7.28 unsolicited mail originating from your IP address. To protect our 550-5.7.28 users from spam, mail sent from your IP address has been blocked. 550 5.7.28 Please visit https://support.google.com/mail/?p=UnsolicitedIPError - gsmtp',
  ],
  [
    'Google, of a rate, over line ends',
    '550-5.7.1 [192.0.2.5] Our system has detected an unusual rate of unsolicited mail 550-5.7.1 originating from your 550-5.7.1 IP address. To protect our users from spam it has been blocked.',
  ],
  [
    'Google, of a reputation',
    '550-5.7.1 [192.0.2.5      19] Gmail has detected that this message is likely 550-5.7.1 suspicious due to the very low reputation of the sending IP address. 550-5.7.1 To best protect our users from spam, the message has been blocked. - gsmtp',
  ],
  [
    'Google, of addresses of subscribers',
    "550-5.7.1 [192.0.2.5] The IP you're using to send mail is not authorized to 550-5.7.1 send email directly to our servers. Please use the SMTP relay at your 550-5.7.1 service provider instead. - gsmtp",
  ],
  [
    'Google, of reverse DNS',
    '550-5.7.25 [192.0.2.5] The IP address sending this message does not have a PTR 550-5.7.25 record setup. As a policy, Gmail does not accept messages from IPs 550 5.7.25 with missing PTR records. - gsmtp',
  ],
  [
    'Microsoft, S3150',
    "550 5.7.1 Unfortunately, messages from [192.0.2.5] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors.",
  ],
  [
    'Microsoft, S3140',
    "550 5.7.1 Unfortunately, messages from [192.0.2.5] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).",
  ],
  [
    'Microsoft, 5.7.606',
    '550 5.7.606 Access denied, banned sending IP [192.0.2.5]. To request removal from this list please visit https://sender.office.com/ AS(1430)',
  ],
  [
    'Microsoft, 5.7.708',
    '550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP. For more information please go to http://go.microsoft.com/fwlink/?LinkId=526653 AS(8561)',
  ],
  [
    'Microsoft, by Spamhaus',
    '550 5.7.1 Service unavailable, Client host [192.0.2.5] blocked using Spamhaus. To request removal from this list see https://www.spamhaus.org/query/ip/192.0.2.5 (AS16012611)',
  ],
  [
    'Yahoo, TSS09',
    '553 5.7.2 [TSS09] All messages from 192.0.2.5 will be permanently deferred; Retrying will NOT succeed. See https://postmaster.yahooinc.com/error-codes',
  ],
  [
    'Yahoo, TSS11',
    '553 5.7.2 [TSS11] All messages from 192.0.2.5 will be permanently deferred; Retrying will NOT succeed.',
  ],
  [
    'Yahoo, BL21',
    "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.5, because the ip is in Spamhaus's list; see http://postmaster.yahoo.com/550-bl23.html",
  ],
  ['Apple, by Proofpoint', '550 5.7.0 Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=192.0.2.5'],
  [
    'Apple, by Spamhaus',
    '550 5.7.1 Mail from IP 192.0.2.5 was rejected due to listing in Spamhaus SBL. For details please see http://www.spamhaus.org/query/bl?ip=192.0.2.5',
  ],
  ['Proofpoint', '554 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.5'],
  [
    'Proofpoint, of a reputation',
    '550 5.7.0 Mail from 192.0.2.5 refused by Proofpoint Reputation Services. SENDER please see and take action: https://support.proofpoint.com/dnsbl-lookup.cgi?192.0.2.5',
  ],
  [
    'Cloudmark',
    '554 mcc-ibgw-6001a.ext.cloudfilter.net cmsmtp [192.0.2.5] is listed on Cloudmark CSI-Global. Please visit https://csi.cloudmark.com/en/reset AUP#RBL',
  ],
  [
    'Cloudmark, of intelligence',
    '550 5.7.1 Service unavailable; client [192.0.2.5] blocked using Cloudmark Sender Intelligence (Visit https://csi.cloudmark.com/reset-request/ if you feel this is in error.)',
  ],
  [
    'Cloudmark, of a list',
    '550 Rejected: 192.0.2.5, listed at http://csi.cloudmark.com/reset-request for remediation.',
  ],
  ['Cisco', "554 Your access to this mail system has been rejected due to the sending MTA's poor reputation."],
  [
    'Barracuda',
    '554 5.7.1 Service unavailable; Client host [192.0.2.5] blocked using Barracuda Reputation; http://www.barracudanetworks.com/reputation/?r=1&ip=192.0.2.5',
  ],
  [
    'SpamCop, for spam',
    '554 5.7.1 Service unavailable; Client host [192.0.2.5] blocked using bl.spamcop.net; sends spam, see https://www.spamcop.net/bl.shtml?192.0.2.5',
  ],
  [
    'Orange, of spam',
    '550 mwinf5c04 ME Adresse IP source bloquee pour incident de spam. Client host blocked for spamming issues. OFR006_102 Ref http://csi.cloudmark.com/reset-request/?ip=192.0.2.5 [102]',
  ],
  [
    'Orange',
    '550 mwinf5c10 ME Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR006_103 192.0.2.5 [103]',
  ],
  ['Free', '550 5.7.1 Too many spams from your IP (192.0.2.5), please visit http://postmaster.free.fr/'],
  [
    'La Poste',
    '550 5.5.0 Les emails envoyes vers la messagerie Laposte.net ont ete bloques par nos services. The emails sent to the mail host Laposte.net were blocked by our services. https://www.spamhaus.org/lookup/ LPNAAA_101',
  ],
  [
    'La Poste, of service',
    '550 5.5.0 Service refuse. Veuillez essayer plus tard. service refused, please try later. LPN005_510',
  ],
  [
    'GMX',
    '554-gmx.net (mxgmx008) Nemesis ESMTP Service not available 554-No SMTP service 554-IP address is block listed. 554 For explanation visit https://postmaster.gmx.net/de/case?c=r0301',
  ],
  [
    'GMX, of reverse DNS',
    '554-gmx.net (mxgmx116) Nemesis ESMTP Service not available 554-No SMTP service 554-Bad DNS PTR resource record. 554 For explanation visit http://postmaster.gmx.com/en/error-messages?c=rdns',
  ],
  [
    'T-Online',
    '554 IP=192.0.2.5 - A problem occurred. (Ask your postmaster for help or to contact tobr@rx.t-online.de)',
  ],
  [
    'Libero',
    '550 smtp-13.iol.local IP blacklisted by CSI. For remediation please use http://csi.cloudmark.com/reset-request/?ip=192.0.2.5 [LIB_102]',
  ],
  ['Mail.ru', '550 Access from ip address 192.0.2.5 blocked. Visit http://mail.ru/notspam/'],
  [
    'Comcast',
    '554 resimta-h1p-037598.sys.comcast.net 192.0.2.5 found on one or more DNSBLs, see http://postmaster.comcast.net/smtp-error-codes.php#BL000001',
  ],
  ['AT&T', '553 5.3.0 flpd568 DNSBL:RBL 521< 192.0.2.5 >_is_blocked.For assistance forward this error to us'],
  ['Postfix', '554 5.7.1 <unknown[192.0.2.5]>: Client host rejected: Access denied'],
  ['Postfix, of reverse DNS', '550 5.7.25 Client host rejected: cannot find your reverse hostname, [192.0.2.5]'],
  ['Postfix, of our name', '504 5.5.2 <host>: Helo command rejected: need fully-qualified hostname'],
];

/** Real replies that name blocks, spam and addresses, too, and that every route would hear. */
const NOT_REFUSED: readonly (readonly [who: string, reply: string, reason: string])[] = [
  [
    'Google, of the mail',
    '550-5.7.1 [192.0.2.5      12] Our system has detected that this message is 550-5.7.1 likely unsolicited mail. To reduce the amount of spam sent to Gmail, 550-5.7.1 this message has been blocked. - gsmtp',
    'spam-rejected',
  ],
  [
    'Google, of the domain',
    '550-5.7.1 [192.0.2.5] Gmail has detected that this message is likely suspicious due to the very low reputation of the sending domain. To best protect our users from spam, the message has been blocked.',
    'blocked-sender',
  ],
  [
    'Microsoft, of the domain',
    '550 5.7.1 Service unavailable, MailFrom domain is listed in Spamhaus. To request removal from this list see https://www.spamhaus.org/query/lookup/ (S8002)',
    'blocked-sender',
  ],
  [
    'Apple, of the domain',
    '550 5.7.1 Your email was rejected due to having a domain present in the Spamhaus DBL -- see https://www.spamhaus.org/dbl/',
    'blocked-sender',
  ],
  [
    'Apple, of the mail',
    '554 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137',
    'policy',
  ],
  [
    'Yahoo, of the mail',
    '554 5.7.9 Message not accepted for policy reasons. See https://senders.yahooinc.com',
    'policy',
  ],
  ['Orange, of the mail', '550 5.2.0 Mail rejete. Mail rejected. OFR_506 [506]', 'spam-rejected'],
  [
    'Mail.ru, of the mail',
    '550 5.7.1 Spam message rejected. Please visit https://help.mail.ru/notspam-support/id',
    'spam-rejected',
  ],
  ['Barracuda, of the mail', '554 rejecting banned content', 'content-rejected'],
  [
    'La Poste, of the recipient',
    '550 5.5.0 Le compte du destinataire est bloque. The recipient account isblocked. LPN007_426',
    'inactive',
  ],
  ['Mimecast, of the recipient', '550 5.7.1 You are blocked by the recipient', 'blocked-sender'],
  ['a filter, of the sender', '550 5.7.1 The sender address is on our blacklist', 'blocked-sender'],
  [
    'a scanner',
    '552-5.7.0 This message was blocked because its content presents a potential security issue. Virus found: Eicar-Test',
    'content-rejected',
  ],
  [
    'Google, of the recipient',
    '550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the address',
    'no-such-mailbox',
  ],
];

describe('a refusal of our address', () => {
  it.each(REFUSED)("by %s is the route's affair, and nobody is suppressed", (_, reply) => {
    for (const step of ['MAIL', 'RCPT', 'DATA', 'MESSAGE'])
      expect(classifyReply(reply, step)).toMatchObject({ type: 'bounced', fault: 'refused', suppress: false });
  });

  it.each(NOT_REFUSED)('is not what is said by %s', (_, reply, reason) => {
    for (const step of ['RCPT', 'MESSAGE'])
      expect(classifyReply(reply, step)).toMatchObject({ type: 'bounced', reason, fault: undefined });
  });

  it('is told from others as bounce mails are read', () => {
    const replies = readFileSync(join(import.meta.dirname, '../feedback/replies.txt'), 'utf8')
      .split('\n')
      .flatMap((line) => line.split(' | ')[3] ?? [])
      .filter((reply) => /^5\d\d[ -]/.test(reply));
    const about = ['recipient', 'message'];
    for (const reply of replies) {
      const { status, fault } = classifyReply(reply, 'RCPT');
      const judged = judge({ text: reply, status, code: Number(reply.slice(0, 3)) });
      if (judged.reason === 'blocked-ip') expect({ reply, fault }).toEqual({ reply, fault: 'refused' });
      if (about.includes(judged.fault)) expect({ reply, fault }).toEqual({ reply, fault: undefined });
    }
    expect(replies.length).toBeGreaterThan(100);
  });
});
