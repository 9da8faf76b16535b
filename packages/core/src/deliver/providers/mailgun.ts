import type { HeaderField } from '../../message.ts';
import { KEYS, type Provider, queuedAs } from './provider.ts';
import { asciiJson, plainName, plainTags } from './writing.ts';

/** Host by region: https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/send-smtp */
export const MAILGUN_HOSTS = { us: 'smtp.mailgun.org', eu: 'smtp.eu.mailgun.org' } as const;

/** Tags are ASCII: https://documentation.mailgun.com/docs/mailgun/user-manual/tracking-messages/track-tagging */
const OTHERS = /[^ -~]/gu;

const plain = (tag: string): string => plainName(tag, OTHERS);

/**
 * Mailgun. Headers: https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/pass-sending-options and,
 * for variables, which recipients can see in the source of a mail,
 * https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/send-attachments
 */
export const mailgun: Provider = {
  title: 'Mailgun',
  owns: ['x-mailgun-variables', 'x-mailgun-tag', 'x-mailgun-track', 'x-mailgun-track-opens', 'x-mailgun-track-clicks'],
  rewrites: [],
  plain,
  headers({ deliveryId, campaign, tags, tracking: { opens, clicks } }) {
    const variables = { [KEYS.delivery]: deliveryId, ...(campaign === undefined ? {} : { [KEYS.campaign]: campaign }) };
    return [
      ['X-Mailgun-Variables', asciiJson(variables)],
      ...plainTags(tags, plain).map((tag): HeaderField => ['X-Mailgun-Tag', tag]),
      ...(opens && clicks ? [['X-Mailgun-Track', 'no'] as const] : []),
      ...(opens ? [['X-Mailgun-Track-Opens', 'no'] as const] : []),
      ...(clicks ? [['X-Mailgun-Track-Clicks', 'no'] as const] : []),
    ];
  },
  // Mostly it says `250 Great success`, and its events have the Message-ID of the mail.
  replyId: queuedAs,
  // 25 MB: https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/send-http; 10 tags:
  // https://help.mailgun.com/hc/en-us/articles/34389096824219-Tags and https://github.com/mailgun/mailgun-go/pull/409, where
  // the page above has 3, as before 2025; of 128 characters: see above.
  limits: { maxBytes: 25 * 1024 * 1024, maxTags: 10, maxName: 128, maxHeader: 4096 },
  spf: 'mailgun.org',
  loginHint:
    'each domain has SMTP credentials of its own, such as postmaster@mg.example.com, at the host of its region: an API key does not work',
};
