import { KEYS, type Provider } from './provider.ts';
import { plainName } from './writing.ts';

/** Letters, digits, `_` and `-`: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageTag.html */
const OTHERS = /[^A-Za-z0-9_-]/gu;

/**
 * Regions with an SMTP endpoint, as far as that is known: https://docs.aws.amazon.com/general/latest/gr/ses.html. Zurich
 * (eu-central-2) has SES, and people found no name email-smtp.eu-central-2.amazonaws.com; Mexico (mx-central-1) is not on that
 * page. Of Hyderabad (ap-south-2) both is said: it stays, as a name that is missing is told by the first attempt.
 */
export const SES_REGIONS: readonly string[] = [
  ...['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'us-gov-east-1', 'us-gov-west-1'],
  ...['ca-central-1', 'ca-west-1', 'sa-east-1', 'af-south-1', 'me-south-1', 'me-central-1', 'il-central-1'],
  ...['eu-central-1', 'eu-north-1', 'eu-south-1', 'eu-west-1', 'eu-west-2', 'eu-west-3'],
  ...['ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-south-1', 'ap-south-2'],
  ...['ap-southeast-1', 'ap-southeast-2', 'ap-southeast-3', 'ap-southeast-5'],
];

/** The SMTP endpoint of a region: https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html */
export function sesHost(region: string): string {
  return `email-smtp.${region}.amazonaws.com`;
}

const plain = (name: string): string => plainName(name, OTHERS);

/**
 * Amazon SES. Headers: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-send-email.html. Its own open and click
 * tracking follows the event types of the configuration set; no header switches it, and an attribute of links that of clicks.
 */
export const ses: Provider = {
  title: 'Amazon SES',
  owns: ['x-ses-configuration-set', 'x-ses-message-tags'],
  // Both are its own, whatever the mail had: https://docs.aws.amazon.com/ses/latest/dg/header-fields.html
  rewrites: ['message-id', 'date'],
  // https://docs.aws.amazon.com/ses/latest/dg/faqs-metrics.html#sending-metric-faqs-clicks-q2
  linkMark: 'ses:no-track',
  plain,
  headers({ deliveryId, campaign, tags, stream }, { configurationSet }) {
    const named: [string, string][] = [
      [KEYS.delivery, deliveryId],
      ...(campaign === undefined ? [] : [[KEYS.campaign, campaign] as [string, string]]),
      ['stream', stream],
      // A name stands once in a message.
      ...tags.map((tag, index): [string, string] => [`tag_${index + 1}`, tag]),
    ];
    const list = named.map(([name, value]) => `${name}=${plain(value)}`).join(',\n');
    return [
      ...(configurationSet === undefined ? [] : [['X-SES-CONFIGURATION-SET', configurationSet] as const]),
      ['X-SES-MESSAGE-TAGS', list],
    ];
  },
  // `250 Ok 0102…-000000`: https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html
  replyId: (reply) => /^250 Ok ([0-9a-f]{8,}-[0-9a-f-]+)/i.exec(reply)?.[1],
  // 40 MB after encoding: https://docs.aws.amazon.com/ses/latest/dg/quotas.html. How many tags is not said there.
  limits: { maxBytes: 40 * 1024 * 1024, maxTags: 20, maxName: 256, maxHeader: 8000 },
  spf: 'amazonses.com',
  loginHint:
    'SES has SMTP credentials of its own, made for one region: an access key of IAM does not work as it is. Look at region, user and pass',
};
