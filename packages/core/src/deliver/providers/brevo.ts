import { KEYS, type Provider, queuedAs } from './provider.ts';
import { plainName, plainTags } from './writing.ts';

/** https://developers.brevo.com/docs/smtp-integration */
export const BREVO_HOST = 'smtp-relay.brevo.com';

/** A comma ends a tag; a list of tags is one header. */
const OTHERS = /[^!-+\--~]/gu;

const plain = (tag: string): string => plainName(tag, OTHERS);

/**
 * Brevo. Headers: https://developers.brevo.com/docs/send-a-transactional-email; custom ones are `name:value`, with `|`
 * between them, and come back in webhooks as they are. No header switches its own tracking, which is a setting of the account.
 */
export const brevo: Provider = {
  title: 'Brevo',
  owns: ['x-mailin-custom', 'x-mailin-tag'],
  rewrites: [],
  plain,
  headers({ deliveryId, campaign, tags }) {
    const custom = [
      `${KEYS.delivery}:${deliveryId}`,
      // What would end a value is escaped as in a URL.
      ...(campaign === undefined ? [] : [`${KEYS.campaign}:${encodeURIComponent(campaign)}`]),
    ];
    return [
      ['X-Mailin-custom', custom.join('|')],
      ...(tags.length === 0 ? [] : [['X-Mailin-Tag', plainTags(tags, plain).join(',')] as const]),
    ];
  },
  // `250 2.0.0 OK: queued as <202508020358.47907466195@smtp-relay.sendinblue.com>`
  replyId: queuedAs,
  // 20 MB with attachments and content; its 4 MB for one attachment are of templates kept there, and nothing is said of tags:
  // https://help.brevo.com/hc/en-us/articles/4402811730962
  limits: { maxBytes: 20 * 1024 * 1024, maxTags: 10, maxName: 200, maxHeader: 900 },
  // Its pages name a code, DKIM and DMARC: https://help.brevo.com/hc/en-us/sections/12170672459666
  spf: undefined,
  loginHint:
    'the user is the SMTP login, and the password an SMTP key (xsmtpsib-…): an API key (xkeysib-…) does not work',
};
