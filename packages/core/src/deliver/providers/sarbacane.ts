import { KEYS, type Provider, queuedAs } from './provider.ts';
import { asciiJson } from './writing.ts';

/** https://docs.tipimail.com/en/guide/settings/smtp_apis */
export const SARBACANE_HOST = 'smtp.tipimail.com';

/** Sarbacane Sendkit, which was Tipimail. Headers, each JSON: https://docs.tipimail.com/en/integrate/headers */
export const sarbacane: Provider = {
  title: 'Sarbacane',
  owns: ['x-tm-meta', 'x-tm-tags', 'x-tm-tracking'],
  rewrites: [],
  plain: (tag) => tag,
  headers({ deliveryId, campaign, tags, tracking: { opens, clicks } }) {
    const meta = { [KEYS.delivery]: deliveryId, ...(campaign === undefined ? {} : { [KEYS.campaign]: campaign }) };
    const tracking = {
      html: { ...(opens ? { open: 0 } : {}), ...(clicks ? { click: 0 } : {}) },
      ...(clicks ? { text: { click: 0 } } : {}),
    };
    return [
      ['X-TM-META', asciiJson(meta)],
      ...(tags.length === 0 ? [] : [['X-TM-TAGS', asciiJson(tags)] as const]),
      ...(opens || clicks ? [['X-TM-TRACKING', asciiJson(tracking)] as const] : []),
    ];
  },
  replyId: queuedAs,
  // https://docs.tipimail.com/en/guide/settings/smtp_apis names no numbers; these are what the others take.
  limits: { maxBytes: 20 * 1024 * 1024, maxTags: 10, maxName: 200, maxHeader: 4096 },
  spf: undefined,
  loginHint: 'the user is the SMTP user name, and the password one of the API keys of the account',
};
