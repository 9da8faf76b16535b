import { KEYS, type Provider, queuedAs } from './provider.ts';
import { asciiJson, plainName, plainTags } from './writing.ts';

/** Host by region: https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api; `eu` is for subusers of that region. */
export const SENDGRID_HOSTS = { global: 'smtp.sendgrid.net', eu: 'smtp.eu.sendgrid.net' } as const;

/** Categories are US-ASCII: https://docs.sendgrid.com/for-developers/sending-email/categories */
const OTHERS = /[^ -~]/gu;

const OFF = { settings: { enable: 0 } } as const;

const plain = (tag: string): string => plainName(tag, OTHERS);

/**
 * Twilio SendGrid. One header has all: https://www.twilio.com/docs/sendgrid/for-developers/sending-email/building-an-x-smtpapi-header,
 * tracking in it: https://www.twilio.com/docs/sendgrid/for-developers/sending-email/smtp-filters
 */
export const sendgrid: Provider = {
  title: 'SendGrid',
  owns: ['x-smtpapi'],
  rewrites: [],
  plain,
  headers({ deliveryId, campaign, tags, tracking }) {
    const filters = {
      ...(tracking.opens ? { opentrack: OFF } : {}),
      ...(tracking.clicks ? { clicktrack: OFF } : {}),
    };
    const value = {
      // Texts only: https://www.twilio.com/docs/sendgrid/for-developers/sending-email/unique-arguments
      unique_args: { [KEYS.delivery]: deliveryId, ...(campaign === undefined ? {} : { [KEYS.campaign]: campaign }) },
      ...(tags.length === 0 ? {} : { category: plainTags(tags, plain) }),
      ...(Object.keys(filters).length === 0 ? {} : { filters }),
    };
    return [['X-SMTPAPI', asciiJson(value)]];
  },
  replyId: queuedAs,
  // 30 MB, 10,000 bytes: https://docs.sendgrid.com/api-reference/mail-send/limitations; 10 categories: see above.
  limits: { maxBytes: 30 * 1024 * 1024, maxTags: 10, maxName: 255, maxHeader: 10_000 },
  spf: 'sendgrid.net',
  loginHint:
    'the user is the word apikey, and the password an API key that may send mail (Mail Send), of the same region',
};
