import type { ReasonClass } from '../events.ts';

/** What enhanced status codes (RFC 3463 and its registry) mean, without their class: first match wins. */
export const STATUS_RULES: readonly { readonly match: RegExp; readonly reason: ReasonClass; readonly vague?: true }[] =
  [
    { match: /^5\.1\.0$/, reason: 'no-such-mailbox', vague: true },
    { match: /^.\.1\.[134]$|^.\.1\.10$/, reason: 'no-such-mailbox' },
    { match: /^.\.1\.2$/, reason: 'no-such-domain' },
    { match: /^.\.1\.6$/, reason: 'moved' },
    { match: /^.\.1\.[78]$/, reason: 'blocked-sender' },
    { match: /^.\.1\.9$/, reason: 'protocol' },
    { match: /^4\.2\.1$/, reason: 'inactive', vague: true },
    { match: /^.\.2\.1$/, reason: 'inactive' },
    { match: /^.\.2\.2$/, reason: 'mailbox-full' },
    { match: /^.\.2\.3$|^.\.3\.4$/, reason: 'message-too-big' },
    { match: /^.\.2\.12[12]$/, reason: 'rate-limited' },
    { match: /^.\.4\.300$/, reason: 'expired' },
    { match: /^.\.4\.310$/, reason: 'no-such-domain' },
    { match: /^.\.2\.4$/, reason: 'policy' },
    { match: /^.\.3\.\d+$/, reason: 'system', vague: true },
    { match: /^5\.4\.4$/, reason: 'no-such-domain' },
    { match: /^.\.4\.[34]$/, reason: 'dns' },
    { match: /^.\.4\.7$/, reason: 'expired' },
    { match: /^.\.4\.[126]$|^.\.4\.14$/, reason: 'network' },
    { match: /^.\.4\.\d+$/, reason: 'network', vague: true },
    { match: /^.\.5\.\d+$/, reason: 'protocol', vague: true },
    { match: /^.\.6\.\d+$/, reason: 'content-rejected' },
    { match: /^4\.7\.(?:0|28)$/, reason: 'rate-limited', vague: true },
    { match: /^.\.7\.(?:5|8|9|20|21|22|23|24|26|27|29|30|509|515)$/, reason: 'auth-failure' },
    { match: /^.\.7\.25$|^.\.7\.60[6-9]$|^.\.7\.6[1-4]\d$|^.\.7\.511$/, reason: 'blocked-ip' },
    { match: /^.\.7\.1[01]$/, reason: 'tls' },
    { match: /^.\.7\.50[1-3]$|^.\.7\.70[3-8]$/, reason: 'blocked-sender' },
    { match: /^.\.7\.\d+$/, reason: 'policy', vague: true },
  ];
