import type { ReasonClass } from '../events.ts';
import type { RouteFault } from './port.ts';

/** One row: the first that fits decides. */
export interface ReplyRule {
  readonly match: RegExp;
  /** Steps of a transaction whose replies it is for. @default all */
  readonly steps?: readonly string[];
  readonly outcome: 'deferred' | 'bounced';
  readonly reason: ReasonClass;
  /** The address itself is bad, and gets no more mail. */
  readonly suppress?: true;
  readonly retryAfterMs?: number;
  /** It is about the route and not about the mail: another route may take it. */
  readonly fault?: RouteFault;
  /** It is about the recipient, also where the conversation ends with it (421). */
  readonly ofRecipient?: true;
  /**
   * Its words may be about more than one thing, and the tables that bounce mails are read by say which. `whether`: the row is
   * passed over where they do not say that our address is refused; `us`: only that is taken from there; `what`: also what is
   * refused in its place; `all`: whatever they name.
   */
  readonly ask?: 'whether' | 'us' | 'what' | 'all';
}

/** Only what is said to RCPT, and to the message, can be about the recipient. */
export const RECIPIENT = ['RCPT', 'MESSAGE'] as const;

/** Every route sends for this domain. */
const OUR_DOMAIN = String.raw`\bdomain (?:is |was |has been )?(?:\w+ )?listed\b|\bdomain present in\b|\breputation of (?:a|the|your)(?: \w+)? domain\b|(?<!ip\/)\bdomain(?:'s)? reputation\b|\bDBL\b|\bsurbl\b|\buribl\b`;
/** The name in it is the route's. */
const OUR_NAME = String.raw`\b(?:helo|ehlo)\b.{0,80}\b(?:reject|refus|invalid|denied|bad|not|must|required|need)|\b(?:invalid|bad|bogus) (?:helo|ehlo)\b`;

/**
 * What replies mean. Many servers say to RCPT what they have against the sender or the client, so words about these come
 * before words about the recipient. The last two rows catch the rest.
 */
export const REPLIES: readonly ReplyRule[] = [
  {
    match:
      /^[45]\d\d.*(?:\b(?:daily|hourly|monthly|sending|plan) (?:user |sending |message |mail |email )*(?:quota|limit|rate)s? (?:has been |was |is )?(?:exceeded|reached)|maximum (?:credits|sending rate) exceeded|(?:exceeded|reached) (?:your|the) (?:daily|hourly|monthly|sending|plan)\b)/is,
    outcome: 'deferred',
    reason: 'rate-limited',
    retryAfterMs: 300_000,
    fault: 'refused',
  },
  {
    match: /^4\d\d.*\bpermanently deferred\b/is,
    outcome: 'deferred',
    reason: 'blocked-ip',
    retryAfterMs: 300_000,
    fault: 'refused',
  },
  { match: /^4\d\d.*gr[ae]y[- ]?list/is, outcome: 'deferred', reason: 'greylisted', ofRecipient: true },
  {
    match: /^4\d\d[ -]4\.2\.2|^4\d\d(?![ -]4\.3).*(?:over ?quota|mailbox.*full|insufficient.*storage)/is,
    steps: RECIPIENT,
    outcome: 'deferred',
    reason: 'mailbox-full',
    ofRecipient: true,
  },
  {
    match:
      /^4\d\d[ -]4\.7\.28\b|^4\d\d.*(?:rate.?limit|too many (?:concurrent |simultaneous |smtp )*(?:connections|sessions|messages|e?-?mails|recipients)|too much mail|exceeded the rate|unusual rate|throttl)/is,
    outcome: 'deferred',
    reason: 'rate-limited',
    retryAfterMs: 300_000,
  },
  { match: new RegExp(`^4\\d\\d.*(?:${OUR_DOMAIN})`, 'is'), outcome: 'deferred', reason: 'blocked-sender' },
  {
    // Said for now, it is a block, too. What servers say when they ask for patience is none, nor what they could not look up.
    match:
      /^4\d\d(?![ -]4\.[1-4]\.)(?!.*(?:\bsender address\b|\blook-?ups?\b(?![/?])|\bquer(?:y|ies)\b(?!\/)|\btime[sd]?[- ]?out\b|\bunknown\b.{0,20}\breputation\b|\bnot (?:yet )?listed\b)).*(?:\bblocked using\b|\b(?:black|block|deny)[- ]?list|\bspam(?:haus|cop)\b|\bsorbs\b|\bdnsbl\b|\brbl\b|\bbarracuda reputation\b|\bcsi\.cloudmark\b|\bipcheck\.proofpoint\b|\breverse (?:dns|host)|\bptr\b|\bcannot find your hostname\b|\bspams? from (?:your|this) ip\b|\bbanned\b.{0,20}\bip\b|\breputation of the sending ip\b|\b(?:ip|poor|bad|low) reputation\b|\b(?:ip|(?:client|source|sending|your) (?:host|server|network))\b.{0,60}\b(?:blocked|banned|listed)\b)/is,
    outcome: 'deferred',
    reason: 'blocked-ip',
    retryAfterMs: 300_000,
    fault: 'refused',
    ask: 'whether',
  },
  {
    match: new RegExp(`^4\\d\\d.*(?:${OUR_NAME})`, 'is'),
    outcome: 'deferred',
    reason: 'blocked-sender',
    retryAfterMs: 300_000,
    fault: 'refused',
  },
  { match: /^4\d\d.*try again in \d+ ?(?:s|min)/is, outcome: 'deferred', reason: 'greylisted' },
  { match: /^4\d\d[ -]4\.7\.0\b/, outcome: 'deferred', reason: 'rate-limited', retryAfterMs: 300_000 },
  {
    match:
      /^[45]\d\d.*(?:account|sending|domain)[\w .@-]* (?:suspended|disabled|paused|under review|not allowed to send)/is,
    steps: ['CONN', 'EHLO', 'AUTH', 'MAIL'],
    outcome: 'deferred',
    reason: 'auth-failure',
    retryAfterMs: 300_000,
    fault: 'refused',
  },
  { match: /^421/, outcome: 'deferred', reason: 'rate-limited' },
  { match: /^5\d\d[ -]5\.7\.9\b.*\bpolicy reasons\b/is, outcome: 'bounced', reason: 'policy' },
  { match: /^(?:530|534|535|538)|^5\d\d[ -]5\.7\.[89]\b/, outcome: 'deferred', reason: 'auth-failure', fault: 'login' },
  { match: /^5\d\d[ -]5\.7\.(?:26|27)\b/, outcome: 'deferred', reason: 'auth-failure' },
  { match: /^5\d\d[ -]5\.7\.(?:10|30)\b|^5\d\d.*requiretls/is, outcome: 'bounced', reason: 'tls' },
  { match: /^4\d\d[ -]4\.4\.\d/, outcome: 'deferred', reason: 'network' },
  { match: /^4\d\d[ -]4\.7\.\d/, outcome: 'deferred', reason: 'policy' },
  { match: /^4\d\d[ -]4\.3\.\d/, outcome: 'deferred', reason: 'system' },
  {
    // They go on with spam, from which they protect somebody, and with rates.
    match:
      /^5\d\d.*(?:\b(?:originating|spams?) from (?:your|this) ip\b|\breputation of the sending ip\b|\bpermanently deferred\b|\bnot accepted from this ip\b|\bip you(?:'|’)?re using to send\b)/is,
    outcome: 'bounced',
    reason: 'blocked-ip',
    fault: 'refused',
  },
  { match: new RegExp(`^5\\d\\d.*(?:${OUR_DOMAIN})`, 'is'), outcome: 'bounced', reason: 'blocked-sender' },
  {
    match:
      /^5\d\d[ -]5\.7\.\d+.*(?:\bspam\b|junk|unsolicited)|^5\d\d.*(?:considered|detected|classified|identified) (?:as )?spam/is,
    outcome: 'bounced',
    reason: 'spam-rejected',
    ask: 'us',
  },
  {
    match: /^5\d\d.*(?:blocked|block ?list|black ?list|spamhaus|barracuda|poor reputation|banned)/is,
    outcome: 'bounced',
    reason: 'blocked-ip',
    fault: 'refused',
    ask: 'what',
  },
  { match: /^5\d\d.*(?:SPF|DKIM|DMARC|unauthenticated)/s, outcome: 'bounced', reason: 'auth-failure' },
  {
    match: new RegExp(`^5\\d\\d.*(?:${OUR_NAME})`, 'is'),
    outcome: 'bounced',
    reason: 'blocked-sender',
    fault: 'refused',
  },
  {
    // X.1.7 and X.1.8 are about the sender's address (RFC 3463 section 3.2).
    match:
      /^5\d\d[ -]5\.1\.[78]\b|^5\d\d.*(?:\bsender(?:'s)? (?:address|domain|mailbox|account|host|server|verif|reject|denied|refused|unknown|invalid)|\b(?:invalid|unknown|bad) sender|\b(?:return|reverse).path|\b(?:envelope|mail) from\b|\breverse (?:dns|host)|\bclient host)/is,
    outcome: 'bounced',
    reason: 'blocked-sender',
    ask: 'us',
  },
  {
    match:
      /^5\d\d[ -]5\.1\.2\b|^5\d\d(?![ -]5\.7).*(?:domain (?:not found|does not exist)|host (?:unknown|not found))/is,
    steps: RECIPIENT,
    outcome: 'bounced',
    reason: 'no-such-domain',
    suppress: true,
  },
  {
    match: /^5\d\d[ -]5\.1\.(?:1|10)\b/,
    steps: RECIPIENT,
    outcome: 'bounced',
    reason: 'no-such-mailbox',
    suppress: true,
  },
  {
    match:
      /^55[0134](?![ -]5\.7).*(?:user|mailbox|recipient|address|account).*(?:unknown|not found|doesn'?t exist|does not exist|no such|invalid|unavailable)/is,
    steps: RECIPIENT,
    outcome: 'bounced',
    reason: 'no-such-mailbox',
    suppress: true,
  },
  {
    match: /^55[0134](?![ -]5\.7).*(?:unknown|no such|invalid) (?:user|mailbox|recipient|local)/is,
    steps: RECIPIENT,
    outcome: 'bounced',
    reason: 'no-such-mailbox',
    suppress: true,
  },
  {
    match: /^5\d\d[ -]5\.2\.2|^552(?![ -]5\.3).*(?:quota|mailbox.*full|storage)/is,
    steps: RECIPIENT,
    outcome: 'bounced',
    reason: 'mailbox-full',
  },
  {
    match: /^5\d\d[ -]5\.2\.1|^5\d\d.*(?:inactive|disabled|suspended|deactivated)/is,
    steps: RECIPIENT,
    outcome: 'bounced',
    reason: 'inactive',
  },
  {
    match: /^5\d\d[ -]5\.[23]\.[34]\b|^552.*(?:size|too (?:big|large))/is,
    outcome: 'bounced',
    reason: 'message-too-big',
  },
  {
    match: /^5\d\d[ -]5\.6\.\d|^5\d\d.*(?:virus|attachment|content)/is,
    outcome: 'bounced',
    reason: 'content-rejected',
  },
  { match: /^5\d\d[ -]5\.7\.\d/, outcome: 'bounced', reason: 'policy', ask: 'us' },
  { match: /^50\d/, outcome: 'bounced', reason: 'protocol' },
  { match: /^5\d\d/, steps: ['MAIL'], outcome: 'bounced', reason: 'blocked-sender', ask: 'us' },
  { match: /^4\d\d/, outcome: 'deferred', reason: 'other', ask: 'all' },
  { match: /^5\d\d/, outcome: 'bounced', reason: 'other', ask: 'all' },
];
