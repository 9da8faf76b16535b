import { describe, expect, it } from 'vitest';
import { type AgentFacts, labelAgent } from '../../../packages/core/src/feedback/agent.ts';

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';
const open: AgentFacts = { type: 'opened', method: 'GET', userAgent: FIREFOX, secondsSinceSent: 3600, recentClicks: 0 };
const click: AgentFacts = { ...open, type: 'clicked' };

describe('the label of a reader', () => {
  it.each([
    [FIREFOX, 'human', 'no-sign-of-a-machine'],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
      'human',
      'no-sign-of-a-machine',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148',
      'human',
      'no-sign-of-a-machine',
    ],
    [
      'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36',
      'human',
      'no-sign-of-a-machine',
    ],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0', 'human', 'no-sign-of-a-machine'],
    [
      'Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; Microsoft Outlook 16.0.17126)',
      'human',
      'no-sign-of-a-machine',
    ],
    [
      'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
      'proxy',
      'gmail-image-proxy',
    ],
    ['YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html', 'proxy', 'yahoo-mail-proxy'],
    ['Mozilla/5.0', 'privacy', 'apple-mpp'],
    ['Mozilla/5.0 (compatible; Barracuda Sentinel)', 'scanner', 'security-product'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) Mimecast', 'scanner', 'security-product'],
    ['Mozilla/5.0 (compatible; Proofpoint URL Defense)', 'scanner', 'security-product'],
    ['Trend Micro WRS', 'scanner', 'security-product'],
    ['curl/8.14.1', 'bot', 'http-library'],
    ['Wget/1.25.0', 'bot', 'http-library'],
    ['python-requests/2.32.4', 'bot', 'http-library'],
    ['node', 'bot', 'http-library'],
    ['Go-http-client/2.0', 'bot', 'http-library'],
    ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'bot', 'known-bot'],
    ['Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)', 'bot', 'known-bot'],
    [
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/138.0.0.0 Safari/537.36',
      'bot',
      'known-bot',
    ],
    ['', 'bot', 'no-user-agent'],
    [undefined, 'bot', 'no-user-agent'],
  ] as const)('%s who opens is %s by %s', (userAgent, kind, evidence) => {
    expect(labelAgent({ ...open, userAgent })).toMatchObject({ kind, evidence });
  });

  it.each([
    ['HEAD is a scanner', { ...click, method: 'HEAD' }, 'scanner', 'head-request'],
    ['bare Mozilla that clicks is a scanner', { ...click, userAgent: 'Mozilla/5.0' }, 'scanner', 'bare-mozilla'],
    ['a click 1.9 s after sending is a scanner', { ...click, secondsSinceSent: 1.9 }, 'scanner', 'clicked-within-2s'],
    ['a click 2 s after sending is a person', { ...click, secondsSinceSent: 2 }, 'human', 'no-sign-of-a-machine'],
    ['an open 1 s after sending is a person', { ...open, secondsSinceSent: 1 }, 'human', 'no-sign-of-a-machine'],
    [
      'a click of a mail that is not known as sent is a person',
      { ...click, secondsSinceSent: undefined },
      'human',
      'no-sign-of-a-machine',
    ],
    ['the fifth click within ten seconds is a person', { ...click, recentClicks: 4 }, 'human', 'no-sign-of-a-machine'],
    [
      'the sixth click within ten seconds is a scanner',
      { ...click, recentClicks: 5 },
      'scanner',
      'many-clicks-at-once',
    ],
  ] as const)('%s', (_title, facts, kind, evidence) => {
    expect(labelAgent(facts)).toMatchObject({ kind, evidence });
  });

  it('keeps at most 256 characters of the program', () => {
    expect(labelAgent({ ...open, userAgent: 'x'.repeat(300) }).userAgent).toHaveLength(256);
    expect(labelAgent({ ...open, userAgent: '  ' }).userAgent).toBeUndefined();
  });
});
