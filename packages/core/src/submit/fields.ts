/** What each field of a message and of a recipient may be. Addresses, headers and dates are checked as they are read. */
import { Readable } from 'node:stream';
import { MailRelayError } from '../errors.ts';
import { STREAMS } from '../message.ts';
import { TRACKING } from '../option-rules.ts';
import {
  anyText,
  anything,
  either,
  flag,
  group,
  list,
  object,
  oneOf,
  type Rule,
  record,
  rule,
  text,
  textUpTo,
} from '../rules.ts';
import type { AlternativeInput, AttachmentInput, BulkOptions, CalendarInput, SendMessage } from './input.ts';
import { TEMPLATE } from './templates.ts';
import { NO_ALTERNATIVE, NO_ATTACHMENT, NO_RECIPIENT, UNSUPPORTED } from './unsupported.ts';

const isText = (value: unknown): boolean => typeof value === 'string';
const isBytes = (value: unknown): boolean => typeof value === 'string' || value instanceof Uint8Array;
const bytes = rule(isBytes, 'must be text or bytes');
const encoding = oneOf(['utf8', 'utf-8', 'base64', 'hex']);
const several = (item: Rule): Rule => either(Array.isArray, list(item), item);
const unlessOff = (rules: Rule): Rule => either((value) => value === false, anything, rules);

const headerValue = rule((value) => isText(value) || typeof value === 'number', 'must be text');
const headers = either(
  Array.isArray,
  list(group<{ key: string; value: string }>({ key: text, value: headerValue }, { needed: ['key', 'value'] })),
  record(several(headerValue)),
);
const listItem = either(
  isText,
  text,
  group<{ url: string; comment: string }>({ url: text, comment: text }, { needed: ['url'] }),
);
const filename = textUpTo(255);
const attachment = group<AttachmentInput>(
  {
    filename,
    content: rule((value) => isBytes(value) || value instanceof Readable, 'must be text, bytes or a stream'),
    encoding,
    path: text,
    href: text,
    contentType: text,
    contentDisposition: oneOf(['attachment', 'inline']),
    cid: text,
    contentTransferEncoding: oneOf(['7bit', 'base64', 'quoted-printable']),
    headers,
  },
  { advice: NO_ATTACHMENT },
);
const alternative = group<AlternativeInput>(
  { content: bytes, contentType: text, filename, encoding },
  { needed: ['content', 'contentType'], advice: NO_ALTERNATIVE },
);
const calendar = group<CalendarInput>(
  { content: bytes, method: text, filename, encoding },
  { needed: ['content'], advice: NO_ALTERNATIVE },
);

const SHARED = {
  from: anything,
  sender: anything,
  replyTo: either(Array.isArray, list(anything, 100), anything),
  subject: anyText,
  text: anything,
  html: anything,
  attachments: list(attachment),
  headers,
  inReplyTo: anyText,
  references: several(anyText),
  icalEvent: either(isBytes, bytes, calendar),
  alternatives: list(alternative),
  list: record(several(several(listItem))),
  priority: oneOf(['high', 'normal', 'low']),
  messageId: anyText,
  date: anything,
  envelope: group<{ from: string }>(
    { from: anything },
    { advice: { to: 'each recipient has an envelope of its own: use to, cc and bcc' } },
  ),
  requireTls: flag,
  template: either(isText, text, TEMPLATE),
  data: object,
  locale: text,
  stream: oneOf(STREAMS),
  campaign: text,
  tags: list(text, 50),
  metadata: object,
  sendAt: anything,
  idempotencyKey: text,
  tracking: unlessOff(group(TRACKING)),
  topic: text,
  route: text,
};

const MESSAGE = group<SendMessage>(
  { ...SHARED, to: anything, cc: anything, bcc: anything },
  { advice: UNSUPPORTED, called: 'message' },
);
const toOthers = 'recipients are the first argument of sendMany()';
const BULK = group<BulkOptions>(SHARED, {
  advice: {
    ...UNSUPPORTED,
    to: toOthers,
    cc: toOthers,
    bcc: toOthers,
  },
});
const RECIPIENT = group<Record<'to' | 'data' | 'locale' | 'metadata' | 'tracking', unknown>>(
  {
    to: anything,
    data: object,
    locale: text,
    metadata: object,
    tracking: unlessOff(group({ opens: TRACKING.opens, clicks: TRACKING.clicks })),
  },
  { advice: NO_RECIPIENT },
);

/** @throws MailRelayError `MESSAGE_INVALID`, or `OPTION_UNSUPPORTED` with what to do instead */
export function checkMessage(message: unknown, bulk: boolean): void {
  demand(bulk ? BULK : MESSAGE, message);
}

/** The same for one recipient of `sendMany()`. */
export function checkRecipient(recipient: object): void {
  demand(RECIPIENT, recipient);
}

function demand(rules: Rule, value: unknown): void {
  const problem = rules(value, '');
  if (problem === undefined) return;
  const { place, says, unknown } = problem;
  throw new MailRelayError(unknown ? 'OPTION_UNSUPPORTED' : 'MESSAGE_INVALID', {
    field: place,
    reason: `\`${place}\` ${says}`,
  });
}
