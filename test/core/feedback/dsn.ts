/** What a bounce says, where it differs. */
export interface BounceParts {
  readonly to?: string;
  readonly recipient?: string;
  readonly status?: string;
  readonly diagnostic?: string;
  /** Lines of the mail that came back. */
  readonly returned?: string;
  readonly id?: string;
}

/** A bounce in the standard form (RFC 3464): for good, about one recipient. */
export function dsn(over: BounceParts): string {
  const { to = 'app@example.com', recipient = 'ada@example.net', status = '5.1.1', id = 'dsn1' } = over;
  return [
    'From: MAILER-DAEMON@mx.example.net',
    `To: ${to}`,
    `Message-ID: <${id}@mx.example.net>`,
    'Subject: Undelivered Mail Returned to Sender',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=x',
    '',
    '--x',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.net',
    '',
    `Final-Recipient: rfc822; ${recipient}`,
    'Action: failed',
    `Status: ${status}`,
    `Diagnostic-Code: smtp; 550 ${status} ${over.diagnostic ?? 'User unknown'}`,
    '--x',
    'Content-Type: message/rfc822',
    '',
    over.returned ?? '',
    '--x--',
    '',
  ].join('\r\n');
}
