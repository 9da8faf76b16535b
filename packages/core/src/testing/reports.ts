import type { TestMail } from './mail.ts';

/** What comes back about a mail, as servers write it. */

const BOUNDARY = 'report';
const SERVER = 'mx.receiver.example';

/** Another each time: a mail that comes twice counts once. */
let written = 0;

/** The delivery status report of a server that gave up (RFC 3464). */
export function bounceMail(mail: TestMail, reply: string, now: number): string {
  const status = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})/.exec(reply)?.[1] ?? `${reply[0] === '4' ? 4 : 5}.0.0`;
  const fields = [
    `Reporting-MTA: dns; ${SERVER}`,
    '',
    `Final-Recipient: rfc822; ${mail.to}`,
    'Action: failed',
    `Status: ${status}`,
    `Diagnostic-Code: smtp; ${reply.replace(/[\r\n]+/g, ' ')}`,
  ];
  const words = `I am sorry to have to inform you that your message could not be delivered to ${mail.to}.`;
  return report({ mail, now, type: 'delivery-status', subject: 'Undelivered Mail Returned to Sender', words, fields });
}

/** The complaint of a provider (RFC 5965). */
export function complaintMail(mail: TestMail, now: number): string {
  const fields = ['Feedback-Type: abuse', 'User-Agent: Receiver-FBL/1.0', 'Version: 1', `Original-Rcpt-To: ${mail.to}`];
  const words = `This is an abuse report for a message that ${mail.to} received.`;
  return report({ mail, now, type: 'feedback-report', subject: `FW: ${mail.subject}`, words, fields });
}

function report(parts: {
  readonly mail: TestMail;
  readonly now: number;
  readonly type: 'delivery-status' | 'feedback-report';
  readonly subject: string;
  readonly words: string;
  readonly fields: readonly string[];
}): string {
  const { mail, now, type, subject, words, fields } = parts;
  written += 1;
  const encoded = `=?utf-8?B?${Buffer.from(subject).toString('base64')}?=`;
  const end = mail.source.indexOf('\r\n\r\n');
  return [
    `From: MAILER-DAEMON@${SERVER}`,
    `To: ${mail.from.replace(/^.*<|>$/g, '')}`,
    `Subject: ${encoded}`,
    `Date: ${new Date(now).toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <report-${now}-${written}@${SERVER}>`,
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=${type}; boundary=${BOUNDARY}`,
    '',
    `--${BOUNDARY}`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    words,
    '',
    `--${BOUNDARY}`,
    `Content-Type: message/${type}`,
    '',
    ...fields,
    '',
    `--${BOUNDARY}`,
    'Content-Type: text/rfc822-headers',
    '',
    end < 0 ? mail.source : mail.source.slice(0, end),
    '',
    `--${BOUNDARY}--`,
    '',
  ].join('\r\n');
}
