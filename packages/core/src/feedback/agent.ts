import { isbot } from 'isbot';
import type { Agent, AgentKind } from '../events.ts';

/** A request of a reader's program, with what the relay knows of the delivery. */
export interface AgentFacts {
  readonly type: 'opened' | 'clicked';
  readonly method: string;
  readonly userAgent: string | undefined;
  /** Seconds between the sending of the mail and this request; undefined where it has not been sent yet. */
  readonly secondsSinceSent: number | undefined;
  /** Clicks in the same mail in the last 10 seconds, without this one. */
  readonly recentClicks: number;
}

interface AgentRule {
  readonly evidence: string;
  readonly kind: AgentKind;
  readonly when: (facts: AgentFacts, userAgent: string) => boolean;
}

const SECURITY_PRODUCTS =
  /barracuda|mimecast|proofpoint|safelinks|ms-?office ?365.*atp|symantec|messagelabs|trend ?micro|ironport|cisco.*(?:esa|umbrella)|fireeye|trellix|mcafee|sophos|forcepoint|fortinet|fortimail|checkpoint|avanan|zscaler|paloalto|wildfire|vade|bitdefender|cloudmark|virustotal|urlscan|phishtank|netcraft|zerocert/i;
const PROGRAMS =
  /^(?:curl|wget|python|python-requests|python-urllib|aiohttp|httpx|go-http-client|java|okhttp|apache-httpclient|node|node-fetch|undici|axios|got|libwww-perl|lwp|ruby|php|guzzlehttp|postmanruntime|powershell|winhttp|httpie)(?:[/ (]|$)/i;

/** A scanner follows a link before a person can have read the mail. */
const QUICKEST_READER_SECONDS = 2;
/** Nobody follows five links of one mail within ten seconds. */
const MOST_CLICKS = 5;

/** What the program alone says. First match wins. */
const BY_PROGRAM: readonly AgentRule[] = [
  { evidence: 'head-request', kind: 'scanner', when: ({ method }) => method === 'HEAD' },
  { evidence: 'gmail-image-proxy', kind: 'proxy', when: (_, userAgent) => /GoogleImageProxy/i.test(userAgent) },
  { evidence: 'yahoo-mail-proxy', kind: 'proxy', when: (_, userAgent) => /YahooMailProxy/i.test(userAgent) },
  // Apple Mail Privacy Protection loads all pictures when the mail arrives, read or not.
  {
    evidence: 'apple-mpp',
    kind: 'privacy',
    when: ({ type }, userAgent) => type === 'opened' && userAgent === 'Mozilla/5.0',
  },
  { evidence: 'bare-mozilla', kind: 'scanner', when: (_, userAgent) => userAgent === 'Mozilla/5.0' },
  { evidence: 'no-user-agent', kind: 'bot', when: (_, userAgent) => userAgent === '' },
  { evidence: 'security-product', kind: 'scanner', when: (_, userAgent) => SECURITY_PRODUCTS.test(userAgent) },
  { evidence: 'http-library', kind: 'bot', when: (_, userAgent) => PROGRAMS.test(userAgent) },
  { evidence: 'known-bot', kind: 'bot', when: (_, userAgent) => isbot(userAgent) },
];

/** What it does says the rest; what no rule matches is a person. */
const BY_DEED: readonly AgentRule[] = [
  {
    evidence: 'clicked-within-2s',
    kind: 'scanner',
    when: ({ type, secondsSinceSent }) =>
      type === 'clicked' && secondsSinceSent !== undefined && secondsSinceSent < QUICKEST_READER_SECONDS,
  },
  {
    evidence: 'many-clicks-at-once',
    kind: 'scanner',
    when: ({ type, recentClicks }) => type === 'clicked' && recentClicks >= MOST_CLICKS,
  },
];

/** Programs are few, and the patterns that tell them are long. */
const CACHED = 2000;
const programs = new Map<string, AgentRule | undefined>();

function byProgram(facts: AgentFacts, userAgent: string): AgentRule | undefined {
  const key = `${facts.type} ${facts.method} ${userAgent}`;
  if (programs.has(key)) return programs.get(key);
  const rule = BY_PROGRAM.find(({ when }) => when(facts, userAgent));
  if (programs.size >= CACHED) programs.clear();
  programs.set(key, rule);
  return rule;
}

/** Says who opened or clicked, and by which rule. */
export function labelAgent(facts: AgentFacts): Agent {
  const userAgent = facts.userAgent?.trim().slice(0, 256) ?? '';
  const rule = byProgram(facts, userAgent) ?? BY_DEED.find(({ when }) => when(facts, userAgent));
  return {
    kind: rule?.kind ?? 'human',
    evidence: rule?.evidence ?? 'no-sign-of-a-machine',
    userAgent: userAgent === '' ? undefined : userAgent,
  };
}
