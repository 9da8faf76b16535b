import type { ReasonRule } from './rule.ts';

/** What servers have against the sender, the client or the mail. These words come first: such replies often name the recipient, too. */
export const SENDER_RULES: readonly ReasonRule[] = [
  {
    // Before what is said of sizes and numbers of messages.
    name: 'mailbox-over-size',
    reason: 'mailbox-full',
    match:
      /mail ?box size of .{0,60} exceeds|(?:mail ?box|mail ?file|inbox|account|postfach) (?:size )?(?:has |is |would )?exceed\w{0,20} (?:the |its |their )?(?:allowed|maximum|max|size)|system limit or the recipient's mailbox is full|cannot update mailbox|too many messages (?:on|in) (?:the |his |her )?(?:server|mail ?box|inbox)|zu ?viele mails|(?:mail ?box|inbox|account|postfach)\b[^.;]{0,30} reached (?:its|the|his|her|their) (?:size |storage |maximum )?(?:limit|maximum|capacity)/,
  },
  {
    name: 'restricted-recipient',
    reason: 'policy',
    match:
      /resolver\.rst\.(?!sendsize|recvsize|recipsize)|delivery restriction|members-only list|closed mailing list|not subscribed to (?:this|the) (?:group|list)|not allowed to post|permission to post|allowable number of posts|user rules|recipient preferences|organi[sz]ational settings|restricted sms|not pre-approved|(?:isn't|is not) on the recipient's list|account is protected by|requires? confirmation|requires that you verify|sendernotauthenticatedforgroup|only accepts? (?:mail|messages|e-?mails?) from|(?:do not|don't) have permission to send(?! from)|\buser reject\b|allowed-senders list/,
  },
  {
    name: 'greylisted',
    reason: 'greylisted',
    match: /gr[ae]y[ -]?list|postgrey/,
  },
  {
    name: 'too-fast-for-recipient',
    reason: 'rate-limited',
    match: /receiving (?:mail|messages|email) (?:at a rate|too quickly)|receivingrate/,
  },
  {
    // Their lists of what was looked at name SPF as well.
    name: 'several-spam-checks',
    reason: 'spam-rejected',
    match: /anti-?spam checks/,
  },
  {
    name: 'auth-policy',
    reason: 'auth-failure',
    match:
      /\bspf\b(?! domain)|sender policy framework|domain authentication|\bpol-p7\b|aup#cxsndr|\bdkim\b(?! domain)|\bdmarc\b|unauthenticated (?:e?mail|message)|sender ?id\b.{0,40}(?:fail|not)|senderid|(?:does not|did not|doesn't|didn't) pass authentication|fails? authentication|authentication checks?|required authentication level|email is unauthenticated|dmarc verification|message failed.{0,30}authenticat|unauthenticatedmessage/,
  },
  {
    // What is wrong with the login comes with it.
    name: 'refused-relay',
    reason: 'policy',
    match: /mail relay denied|invalid credentials for relay/,
  },
  {
    name: 'refused-login',
    reason: 'auth-failure',
    match:
      /invalid credentials|(?:incorrect|invalid|bad) (?:authentication|auth|login|credentials|user ?name)|(?:log|sign) ?in (?:attempts|through your|with your)|authentication (?:not allowed|data|rejected)|password (?:not accepted|required|incorrect)|code d'authentification|authentification requise|no identity changes/,
  },
  {
    // They go on with the command that was sent wrongly.
    name: 'protocol-violation',
    reason: 'protocol',
    match: /smtp protocol violation|unrecogni[sz]ed authentication type|smtputf8/,
  },
  {
    name: 'tls',
    reason: 'tls',
    match:
      /requiretls|must issue (?:a )?starttls|starttls|tlsa-|dnssec-invalid|tls connection|requires? (?:encryption|high-strength ciphers|tls)|\bdane\b|certificate-(?:expired|host)|tls (?:handshake|negotiat|is required|required|encryption|not|connection|session|fail)|\b(?:ssl|tls)\b.{0,40}(?:fail|error|requir|unavailable|certificate)|encryption (?:is )?(?:needed|required)|certificate (?:verif|has expired|is not trusted|mismatch)|server certificate|invalid for this certificate/,
  },
  {
    // Such replies go on with what the address did too often.
    name: 'address-blocked',
    reason: 'blocked-ip',
    match:
      /this ip (?:address )?has been (?:temporarily )?(?:block|black)|\bip (?:temporarily )?blacklisted|spams? from your ip|suspected (?:bounce attacks|spam ip)|spam ips? blocked|too many unwanted messages|aup#(?:cxbl|cdrbl|cxdns|ipbl)|aup#[a-z]{0,3}-?1(?:000|1\d\d|2[0-5]\d)\b|access denied, please try again later|\((?:rly|rtr|dyn|con):\w{1,8}\)|\b554 ip=\d/,
  },
  {
    name: 'rate-limited',
    reason: 'rate-limited',
    match:
      /too many (?:concurrent |simultaneous |open )?(?:connections|sessions|messages(?! (?:on|in) )|emails|mails|e-mails|recipients|rcpts|invalid|unknown|errors|sends|smtp)|rate[ -]?limit|throttl|(?:sending|message|connection|mail|delivery) rate|unusual(?:ly high)? rate|(?:daily|hourly|sending|message|email|recipients?) (?:sending |message |mail |email |recipient |user ){0,6}(?:limit|quota)s? (?:has been |have been |was |is )?(?:exceeded|reached|over)|exceed(?:s|ed|ing)? (?:the |its |your |their )?(?:(?:max\w{0,20}|allowed|daily|hourly) ){0,6}(?:emails?|messages|mails|connections|recipients|sending|outgoing)|max(?:imum)? (?:number of )?(?:connections|emails|messages|recipients|defers)|connection limit|reached its limit|user complaints.{0,60}421|temporarily deferred due to (?:unexpected volume|user complaints)|excessive (?:number|volume|messages|connections)|submissionquotaexceeded|\[(?:ts|gl)\d\d\]|slow down|recipient limit|frequency (?:is )?limit|\bfrequency\b|too frequent|threshold exceeded|reached your daily limit|exceeded permitted limits|message receive limit|recipient has exceeded their limit|thread limit exceeded|trop de connexions|trop de messages|made numerous attempts|try again slower|max(?:imum)? messages? per connection|relay (?:sending )?limit|recipient count|exceeded the (?:\w{1,30} )?rate|number of recipients|too much mail (?!data)|limit on the number of|allowed outgoing|\bcon-t[1-4]\b|\bmsg-t1\b|aup#(?:cxcnct|cxmxrt)|aup#[a-z]{0,3}-?1(?:3\d\d|4\d\d|5[48]0|550)\b|excessive volume/,
  },
  {
    name: 'blocklisted-sender',
    reason: 'blocked-sender',
    match:
      /sender(?:'s)? (?:e-?mail )?(?:address )?(?:is |has been |was )?(?:in |on )?(?:my |our |the |a )?(?:recipient's )?(?:black|block|deny)[ -]?list|(?:black|block)list(?:ed)? sender|your (?:domain|e-?mail address) has been blacklisted|address that has been blacklisted/,
  },
  {
    name: 'blocklist',
    reason: 'blocked-ip',
    match:
      /spamhaus|spamcop|\bsorbs\b|dnsbl|\brbls?\b|\bsbl\b|\bxbl\b|\bpbl\b|\bcbl\b|barracuda ?(?:central|reputation|networks)|(?:black|block|deny)[ -]?list(?:ed|s)?\b(?!.{0,30}(?:by the recipient|of the recipient))|blocked using(?! spam)|uceprotect|senderbase|senderscore|abuseat|mail-abuse|trustedsource|(?<!spam \()cloudmark|invaluement|proofpoint.{0,60}block|ipcheck\.proofpoint|listed (?:in|at|by|on) .{0,60}(?:\.org|\.net|\.com|rbl|bl\b)/,
  },
  {
    name: 'no-reverse-dns',
    reason: 'blocked-ip',
    match:
      /\bptr\b|ip must resolve|reverse[ -]?(?:dns|lookup|hostname|address|mapping|resolution)|\brdns\b|unverif[iy]able sending ips|mismatches client ip|cannot (?:find|resolve) your (?:hostname|reverse|ip|address)|fix reverse dns|ip address .{0,40}(?:no|without) (?:name|hostname)|(?:no|lack|missing).{0,20}reverse|unresolvable (?:client|relay)|ip name (?:lookup|possibly) (?:failed|forged)|client host rejected: cannot find/,
  },
  {
    // After rates and blocks, which may name their end, too.
    name: 'asks-for-patience',
    reason: 'greylisted',
    match: /please try again in \d{1,9} ?(?:s\b|sec|min)/,
  },
  {
    name: 'blocked-client',
    reason: 'blocked-ip',
    match:
      /(?:client|sending|your|this|connecting|source) (?:host|ip|server|network|mta|hostname|mail server)\b.{0,80}(?:block|reject|denied|refused(?! (?:the |our )?connection)|banned|not (?:allowed|accepted|permitted)|reputation|listed|prohibited)|\bip (?:address)?.{0,60}(?:block|banned|denied|reputation|rejected|not allowed|blacklist|listed)|banned sending ip|(?:poor|bad|low|very low|negative) (?:\w{1,30} )?reputation|\breputation\b|\b(?:sc|ou|dy)-00\d\b|messages .{0,30}weren't sent|(?:s31[45]\d|s77\d\b|ocl-?\d|5\.7\.606|5\.7\.511)|(?:block|ban)(?:ed|ing)? (?:messages |mail |email |connections? )?(?:from|for) (?:your|this|the) (?:ip|host|server|network|isp|country)|part of (?:your|their) network is on our|(?:your|the) (?:ip|network|server) (?:has been|is|was) (?:\w{1,30} )?(?:block|ban)|dynamic (?:ip|host|addresses|range)|dial-?up|access from .{0,40}(?:ip|address|host).{0,40}(?:denied|block)|too many bad commands|\bips blocked|refused due to abuse|received too many bounces|bad ip profile|bad sender ip|\bgo away\b|host network,? not allowed|invalid ip for sending|no access from (?:mail )?server|accepting mail from your ip|smtp server of your isp|sending mta|open proxy|by your ip|not allowed to connect|not accepting connections|not in whitelist for rcpt|abus detecte|adresse ip source|will be permanently deferred|4\.7\.0 try again later, closing|looks suspiciously like|^\W*(?:5\d\d )?(?:5\.\d\.\d )?blocked\W*$|\bpol-[pt][1-4]\b|\bdns-(?:p3|t2)\b|ont (?:ete|été) bloqu|confirm this mail server|(?:\d{1,3}\.){3}\d{1,3}\]? (?:is |are )?not (?:allowed|authori[sz]ed|permitted) to send|mail server (?:at|on) \S{1,80} (?:is|has been) (?:\w{1,30} )?block|no (?:mail|connections?) (?:accepted |allowed )?from your (?:ip|host|country)|has been blocked for spam|banned host|bad(?:ly)?behaved|connection refused by policy|\[ts\d\d\].{0,80}permanently/,
  },
  {
    name: 'service-refused',
    reason: 'blocked-ip',
    only: '5',
    match: /service refus[eé]d?[.,] (?:veuillez|please try later)/,
  },
  {
    name: 'refused-helo',
    reason: 'blocked-sender',
    match:
      /\b(?:helo|ehlo)\b.{0,80}(?:reject|refus|invalid|denied|bad|not|must|required|need)|(?:invalid|bad|forged|bogus) (?:helo|ehlo)|impersonat/,
  },
  {
    name: 'refused-sender',
    reason: 'blocked-sender',
    match:
      /sender(?:'s)? (?:address |domain |email |e-mail |is |was |has been |name |mailbox |account |verif\w{0,20} |header ){0,6}(?:reject|denied|refused|blocked|unknown|invalid|not (?:allowed|found|valid|accepted|known|verified|exist|authori[sz]ed)|does ?n[o']?t (?:exist|resolve)|fail|blacklist|black-list|banned|unverif|policy|callout|check|prohibited|listed|disabled)|sender (?:verify|verification|address verification)|(?:invalid|unknown|bad|unverified|unresolvable|forged|spoofed|banned) (?:sender|from|return|reverse|mail from|envelope)|domain of sender|(?:mail|e-?mail|messages) from (?:your |the |this )?(?:domain|sender|address|you|user)?.{0,60}(?:not (?:accept|allow|permit|welcome|wanted)|reject|block|refus|denied|prohibited|banned)|(?:block|ban)(?:ed|ing)? (?:mail |email |messages )?from (?:your|this) (?:address|domain|sender)|(?:your|from) (?:e-?mail )?(?:address|domain)(?: name)? (?:has been|is|was|does|did|not|on) .{0,40}(?:block|reject|blacklist|ban|denied|resolve|exist|verif)|(?:return|reverse)[ -]?path.{0,60}(?:invalid|reject|not|fail|unknown|does)|(?:envelope|mail) (?:from|sender).{0,60}(?:reject|invalid|not (?:allow|accept|valid|permit|found|exist|owned|authori)|denied|fail|refus)|you (?:are|have been) (?:blocked|banned|blacklisted|not allowed to send)|(?:refuse|does not accept|not accepting|won't accept|rejects?) (?:mail|messages|e-?mails?)? ?from (?:you|this|unknown|your)|blocked by (?:the |this )?(?:user|recipient)|on (?:the |my |our )?(?:recipient|user)'?s? (?:block|black)|access denied, banned sender|bad-sender|null sender|badmailfrom|envelope sender is in|callout verification failed|rejected sender|not accepting mail from|rejected by destination domain|\b5\.1\.[78]\b|from address is not|sender reject|\bbatv\b|backscatter|unresolvable rfc\.?5321|third-party dsns?|unsigned dsn|bogus mail from|fully qualified email address|sender domain is empty|unroutable sender|registered gateway user|provide a valid from|senderfilter|(?:emetteur|expediteur|expéditeur) (?:invalide|refus)|envelope (?:blocked|rejected)|verification failed for @|sender (?:address|domain) must|blocked senders|block policy for|(?:couldn't|could not|cannot|can't|unable to) (?:check|verify|validate) (?:the |your )?sender|\be2110\b|mx records for \S{1,80} violate|returned mail not accepted|recursive cname|sender is (?:a )?spammer|\bdns-(?:p[12]|t1)\b|aup#[a-z]{0,3}-?1(?:0[1-8]0|5[02]0)\b/,
  },
];
