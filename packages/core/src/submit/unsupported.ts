/** Fields that nodemailer has, or that people expect, and the relay refuses: each with what to do instead. */
export const UNSUPPORTED: Readonly<Record<string, string>> = {
  raw: 'hand in the parts of the message; the relay composes it',
  amp: 'use `alternatives` with contentType `text/x-amp-html`',
  watchHtml: 'use `alternatives` with contentType `text/watch-html`',
  encoding: 'the relay chooses transfer encodings',
  textEncoding: 'the relay chooses transfer encodings',
  newline: 'lines end with CRLF, as SMTP wants them',
  baseBoundary: 'the relay chooses the boundaries of parts',
  boundaryPrefix: 'the relay chooses the boundaries of parts',
  normalizeHeaderKey: 'header names are sent as they are written',
  xMailer: 'use `headers` with `X-Mailer`',
  otp: 'use `headers` with `OTP-Token`',
  attachDataUrls: 'attach images with a `cid`',
  disableFileAccess: 'file access is off unless `attachments.paths` allows it',
  disableUrlAccess: 'URL access is off unless `attachments.hosts` allows it',
  dkim: 'signing is the option `dkim` of the relay',
  dsn: 'delivery status notifications are not requested by the relay',
  auth: 'the login belongs to the route: smtp({ auth })',
  maxRecipients: 'use the option `limits.maxRecipients`',
  signal: 'an accepted message is stopped with `messages.cancel(id)`',
  context: 'the values of a template are `data`',
};

const fetched = 'fetch it yourself and give `content`';

/** The same for an attachment. */
export const NO_ATTACHMENT: Readonly<Record<string, string>> = {
  httpHeaders: fetched,
  tls: fetched,
  raw: 'give `content`; the relay composes the part',
};

const given = 'give `content`';

/** The same for `alternatives` and `icalEvent`. */
export const NO_ALTERNATIVE: Readonly<Record<string, string>> = {
  path: given,
  href: given,
  raw: given,
  httpHeaders: given,
  tls: given,
  contentTransferEncoding: 'the relay chooses transfer encodings',
};

const shared = 'it is the same for all recipients: give it in the second argument of sendMany(), or use a template';

/** The same for one recipient of `sendMany()`. */
export const NO_RECIPIENT: Readonly<Record<string, string>> = {
  cc: 'each recipient gets a mail of its own',
  bcc: 'each recipient gets a mail of its own',
  name: 'write `to: { name, address }`',
  email: 'the address is `to`',
  address: 'the address is `to`',
  subject: shared,
  text: shared,
  html: shared,
  attachments: shared,
  headers: shared,
  replyTo: shared,
  idempotencyKey: 'the key belongs to the whole list: give it in the second argument of sendMany()',
};
