import type { ReasonRule } from './rule.ts';

/** What became of the mail on its way, and what servers say about themselves. */
export const WAY_RULES: readonly ReasonRule[] = [
  {
    name: 'loop',
    reason: 'network',
    match:
      /too many hops|hop ?count|mail (?:is )?loop|loops? (?:back|detect)|routing loop|mail forwarding loop|too many .?received.? headers|endless loop|looping|is looping|forwarding loop|loop was found|mail loop|hops exceeded|mail for .{0,60}loops/,
  },
  {
    name: 'program',
    reason: 'system',
    match:
      /command (?:died|output|failed|returned)|exit (?:status|code)|procmail|maildrop:|pipe to |child process|unable to chdir|maildir permission|mailer prog/,
  },
  {
    name: 'no-connection',
    reason: 'network',
    match:
      /connection (?:was |has been |is )?(?:refused|timed? ?out|reset|closed|lost|dropped)|no route to host|network (?:is )?unreachable|lost connection|connection expired|refused (?:the|our) connection|network error|incorrect hostname|no route (?:found )?to (?:the )?domain|unable to route to|establish an? (?:smtp )?connection|host (?:is )?(?:down|unreachable)/,
  },
  {
    name: 'expired',
    reason: 'expired',
    match:
      /in the queue too long|(?:message|delivery|mail|queue|retry|ttl|time)(?:'s)? (?:has |have |was |lifetime |time ?(?:out)? ){0,6}(?:expired|exceeded)|retry time(?:out)?|giving up (?:on|after)|(?:after|failed|in|exceeded maximum) (?:\d{1,9} )?(?:delivery )?attempts|delivery failed \d{1,9} attempts|(?:could not be|has not been|not been|been unable to be|not) delivered (?:for|within|in|after|since)|(?:unable|failed|tried|trying) to (?:deliver|connect)?.{0,60}(?:after|for) (?:\w{1,30} )?(?:multiple|several|\d{1,9}|many|repeated) (?:retries|attempts|days|hours|tries)|(?:for|after|within) (?:more than |over |the last )?\d{1,9}(?:\.\d{1,9})? (?:days|hours|minutes|attempts)|not (?:been )?collected|sitting in queue|exceeded (?:max(?:imum)? )?(?:time|retr|delivery)|allowed queue period|message timed out|undeliverable for|failing for a long time|queue (?:lifetime|expired)|time limit|delivery (?:attempts|period|expired)|abgelaufen|délai.{0,20}(?:expir|dépass)|tiempo.{0,20}(?:expir|agot)|quá hạn|超时/,
  },
  {
    name: 'network',
    reason: 'network',
    match:
      /connection (?:was |has been |is |to .{0,60} )?(?:refused|timed? ?out|timeout|reset|lost|closed|dropped|failed|aborted|terminated|died|broken)|(?:could ?n[o']t|could not|cannot|can't|unable to|not able to|wasn't able to|failed to|failure to|did not) (?:be )?(?:connect|establish|reach(?! (?:the |some |your |its |all )?(?:following|intended|or all|recipient))|contact)\w{0,20}|no route to host|(?:network|host|server|remote) (?:\w{1,30} )?(?:is )?(?:unreachable|down|not respond|not reachable|did not respond|unavailable|is not available)|lost connection|timed? ?out|timeout|no (?:response|answer|reply)(?: from| to)?|not responding|broken pipe|socket|closed (?:the )?connection|conversation with|connection (?:error|problem|dropped|attempt)|i\/o timeout|host down|premature|eof|verbindung|connexion|conexi[oó]n|接続/,
  },
  {
    name: 'relaying',
    reason: 'policy',
    match:
      /relay(?:ing)?\b|we don't handle mail for|allowed rcpthost|not (?:a )?(?:local|permitted to relay)|non-?local|open relay|pop (?:before|b4)|not (?:a )?gateway|rcpthosts|not in my (?:rcpthosts|badrcptto)|mail not local/,
  },
  {
    name: 'dns',
    reason: 'dns',
    match:
      /\bdns\b|name ?server|name (?:lookup|resolution)|host name lookup|mx lookup|dns records|lookup fail|resolv(?:e|er|ing) (?!this|the (?:issue|problem)|your)/,
  },
  {
    name: 'protocol',
    reason: 'protocol',
    match:
      /syntax error|command (?:not |un|parameter |sequence |was )\w{0,20}|unrecogni[sz]ed (?:command|parameter)|(?:bad|invalid) (?:sequence|command|argument|parameter|syntax|protocol)|not implemented|unimplemented|protocol (?:error|violation)|smtp ?(?:protocol|command)|out of sequence|need (?:rcpt|mail) |smtputf8|8bitmime|unsupported|no valid recipients|improper command/,
  },
  {
    name: 'login',
    reason: 'auth-failure',
    match:
      /(?:turn on|use|enable) smtp auth|authentication turned on|authenticat\w{0,20} (?:required|fail|credentials|needed|is required|unsuccess|before)|not authenticated|(?:smtp )?auth (?:fail|required|is required)|requires? authentication|log ?in (?:first|required)|bad credentials/,
  },
  {
    name: 'policy',
    reason: 'policy',
    match:
      /polic(?:y|ies)|administrative(?:ly)? |prohibit|access denied|access to .{0,40}denied|not (?:allow|permit|authori[sz]|accept)\w{0,20}|unauthori[sz]ed|permission|restrict|(?:reject|refus|block|denied|deny|filter)(?:ed|s|ing)?\b|rejection|rule|security|forbidden|disallow|not welcome|low priority|only accept|does ?n[o']?t accept|delivery not authori|verboten|refus[eé]|rechaza|rifiutat|recusad|geweigerd|отклонен|拒否|受信拒否|フィルタ|指定受信/,
  },
  {
    name: 'system',
    reason: 'system',
    match:
      /(?:local|server|system|internal|configuration|temporary|mailer|software|database|i\/o|input\/output|ldap|directory|backend|unexpected|unknown|resource|service|processing|remote) ?(?:is |was |mail |smtp ){0,6}(?:error|problem|fail(?:ure|ed)?|unavailable|not available|down|busy|shortage|shutdown|shutting|trouble|offline|maintenance)|mis-?configur|can(?:'t|not) (?:create|open|write|append|execute|read|access|lock|chdir|fork|run)|exited|aliases|alias(?:ing)? loop|resources|try (?:again )?later|(?:load (?:is )?too high|too much load)|temporar|currently|at this time|unable to (?:process|accept|deliver|handle|write|open|create)|mailer|prog\b|overload|busy|deferred|permission denied|out of |transaction failed|error while being processed|interrupted system call|file write error|config error|could not load drd|fehler|erreur interne|障害|エラー/,
  },
];
