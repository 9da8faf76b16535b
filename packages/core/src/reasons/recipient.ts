import type { ReasonRule } from './rule.ts';

/** What servers say of the recipient's mailbox, and of its domain. */
export const RECIPIENT_RULES: readonly ReasonRule[] = [
  {
    name: 'disk-of-server-full',
    reason: 'system',
    match:
      /insufficient (?:system|disk|server) (?:storage|space|resources)|insufficient system|not enough (?:disk|system) space|no space left|system(?:'s)? (?:disk|storage|is|file ?system)? ?(?:is )?full|out of disk|disk (?:is )?full|low on (?:disk|space)|out of (?:memory|local storage)|queue (?:disk|file system)/,
  },
  {
    name: 'unavailable-for-now',
    reason: 'system',
    match:
      /(?:temporar\w{0,5}|currently) (?:unavailable|not available|inaccessible|out of service)|temporary (?:server|system|internal|local) (?:error|problem|failure)|internal server error|server busy|(?:back-?end|ldap|mail ?box (?:server|store|database)) (?:server )?(?:is )?(?:unavailable|down|error|failure|not responding)/,
  },
  {
    name: 'unrouteable-here',
    reason: 'no-such-domain',
    // Exim says this of a domain; in the reply of a server it is about the user.
    match: /^(?!.*\b[45]\d\d\b).*unroute?able address/,
  },
  {
    name: 'dns-for-now',
    reason: 'dns',
    match:
      /(?:host|domain|name).{0,60}(?:not found|lookup).{0,40}try again|host lookup (?:did not complete|deferred)|temporar\w{0,20} (?:\w{1,30} )?(?:dns|lookup|resol|name)|(?:dns|name ?server|mx) (?:\w{1,30} )?(?:timeout|timed out|temporar|fail|server (?:fail|error))|servfail|host name lookup failure|transient (?:dns|name)|soft dns|name service error.{0,80}try again|cname lookup failed temporarily/,
  },
  {
    name: 'no-such-domain-in-words',
    reason: 'no-such-domain',
    match:
      /host (?:or domain )?(?:name )?(?:not found|unknown\b)|unknown (?:host|domain|mail (?:host|server))|single label domain|no such (?:host|domain)|nxdomain|name or service not known|unroute?able (?:mail )?domain|all relevant mx|all host address lookups|(?:recipient )?domain must exist|domain mentioned in e-?mail address is unknown|domain is not reachable|domain (?:\S{1,80} )?couldn't be found|find any (?:host|mail exchanger) named|domain (?:name )?(?:not found|does ?n[o']?t exist|unknown|is unknown|non-?existent)|illegal host\/domain|bad destination (?:host|domain|system)/,
  },
  {
    name: 'mailbox-full',
    reason: 'mailbox-full',
    match:
      /over[ -]?(?:the )?(?:allowed |disk |mail |mailbox |e-?mail |storage |his |her |its |their ){0,6}(?:quota|drawn)|quota(?! of messages)|(?:mail ?box|inbox|mailfolder|mail folder|maildir|mail ?store|account|user'?s? (?:mailbox|inbox|account|disk)|folder|message ?store|user|recipient|storage|postfach|bo[iî]te|buz[oó]n|casella|caixa)\b[^.;]{0,60}(?:full\b|exceed|over (?:its|the|size|limit|max)|too (?:large|full)|limit reached|(?:storage|space|size) limit|voll|pleine|lleno|piena|cheia|saturée|überfüllt)|full mailbox|overflow(?:ing|ed|n)|mailboxfull|mbox(?:full| full)|(?:insufficient|not enough|enough|no (?:more )?|lack of|out of) (?:storage|space|room|disk)|space not enough|too much mail data|storage (?:quota|limit|space)|out ?of ?storage|can(?:not|'t) (?:accept|receive|store) (?:any )?(?:more|new|further) (?:mail|message)|exceeded (?:the )?storage|exhausted (?:allowed )?(?:storage|space|disk)|sufficient (?:storage|space|disk)|space (?:has been )?(?:used|exceeded|exhausted)|容量|いっぱい|一杯|満杯|空间不足|空間不足|已满|已滿|ящик.{0,20}перепол|メールボックス.{0,10}超|переполнен|volle mailbox|postvak.{0,20}vol|espace insuffisant/,
  },
  {
    name: 'moved',
    reason: 'moved',
    match:
      /user not local.{0,40}please try|(?:user|recipient|account|address|mailbox|he|she|who|customer) (?:has |have |is )?(?:been )?(?:moved|relocated|migrated|transferred) (?:to|away|from)|(?:has|have) (?:a )?(?:moved to|new (?:e-?mail )?address)|new (?:e-?mail )?address (?:is|:)|(?:address|e-?mail) (?:has )?(?:been )?(?:changed|replaced)|(?:has been|was) replaced by|please (?:use|send|try|update|forward).{0,40}(?:new|instead|following) ?(?:e-?mail )?(?:address)?.{0,10}(?:<|addr|instead|address)|(?:is|are) no longer (?:at|with) (?:this|the) (?:address|company|organi[sz]ation)|destination mailbox (?:address )?(?:has )?moved|(?:user|recipient|mailbox|customer) (?:has |was )(?:been )?(?:permanently )?moved\b/,
  },
  {
    name: 'unconfirmed-recipient',
    reason: 'system',
    only: '4',
    match:
      /unverified address|verification in progress|address verification|recipient.{0,40}(?:cannot be|could not be|not yet) verified/,
  },
  {
    name: 'inactive',
    reason: 'inactive',
    match:
      /(?:mail ?box|account|user|recipient|address|customer|owner|inbox|mail ?drop|subscriber)\b[^.;]{0,60}(?:disabled|suspend|inactive|deactivat|not active|\blocked\b|frozen|on hold|dormant|discontinued|retired|decommissioned|abandoned|temporarily (?:disabled|closed|inactive|limited|restricted)|not (?:been )?activated|isn't active|deaktiviert|gesperrt|désactivé|desactivad|disattivat|uitgeschakeld)|(?:mail ?box|account|user)(?:'s)? (?:\w{1,30} ){0,4}(?:blocked|closed|terminated|expired|cancell?ed)|(?:disabled|suspended|inactive|deactivated) (?:due|recipient|user|account|mailbox|address|e-?mail|for)|disableduser|extended inactivity|inactivity|no longer (?:active|in (?:use|service)|being used|used|monitored|enabled)|not an active|(?:is|currently|now) not active|is ?n[o']t active|mailbox currently suspended|account that you tried to reach is disabled|this account is not allowed|not (?:been )?(?:used|accessed|logged into) (?:for|in|since)|has been suspended|archived recipient|compte .{0,30}bloqu|account isblocked|is currently suspended|temporary locked|currently being accepted for this mailbox|destinataire archivee|被停用|停止|無効/,
  },
  {
    name: 'no-such-mailbox-in-words',
    reason: 'no-such-mailbox',
    match:
      /(?:unknown|no such|invalid|non-?existe?nt|bad|undeliverable|nosuch|illegal|incorrect|unrecogni[sz]ed|inexist\w{0,20}|not a valid|not a known|isn't a valid|no valid|never heard of) ?(?:or \w{1,30} )?(?:the |this |local |virtual |e-?mail |mail |destination |final |rcpt |forwarding |internal ){0,6}(?:users?|recipients?|mail ?box(?:es)?|accounts?|addresse?s?|local[ -]?part|persons?|names?|alias|rcpt|customer|employee|subscriber|username|login|id|inbox|destination)\b|user ?(?:name )?(?:is )?unknown|unknownuser|userunknown|nosuchuser|recipientnotfound|recipnotfound|resolver\.adr\.|unknown (?:address|or illegal|or invalid|rcpt|in local|login)|no (?:mail ?box|user|account|recipients?|alias) (?:here |found |with |by |of |in |matching |exists |on |known |has |for |named |called )/,
  },
  {
    name: 'mailbox-not-there',
    reason: 'no-such-mailbox',
    match:
      /(?:users?|recipients?(?! (?:mail )?(?:server|host|domain|system))|mail ?box(?:es)?|accounts?|addresse?s?|local[ -]?part|person|alias|rcpt|employee|inbox|username|customer|destination|e-?mails?|subscriber|mail ?drop|postoffice)\b[^.;:]{0,60}?(?:is |was |are |has |have )?(?:unknown|not (?:be )?(?:found|exist|known|listed|valid|recogni[sz]ed|have|defined|registered|available here|a (?:valid|known|local|recogni)|in (?:our|the|my|this)|our|local|on (?:this|our)|have an?|permitted to receive|served|subscribed|hosted|handled|match)|may not exist|n't (?:exist|found|be found|valid|have|known|listed|a )|does ?n[o']?t (?:exist|have|match|like)|doesnt (?:exist|have)|do not exist|don't exist|no longer (?:exist|valid|available|accept|on|here|work|employed|with|at|has|receiv)|inexist|non-?exist|invalid|unavailable|undeliverable|unrout|been (?:removed|deleted|discontinued)|deleted|removed|ha cambiado|wrong|misspelled)/,
  },
  {
    name: 'no-such-mailbox-otherwise',
    reason: 'no-such-mailbox',
    match:
      /unroute?able address|not listed in|(?:domino|name (?:&|and) address|public) (?:directory|book)|mailbox unavailable|(?:cannot|can't|can not|couldn't|could not|unable to) (?:find|verify|locate|identify|resolve) (?:the |this |that |your )?(?:recipient|user|address|mailbox|account|person|it)|delivery not allowed to non-local|relay ?not ?permitted to non-local|not our (?:customer|user)|no longer (?:on server|available|valid|works|employed)|5\.4\.1\W.{0,80}recipient address rejected: access denied|access denied\. as\(2018|(?:user|account|address|recipient) (?:rejected|refused|denied)(?!.{0,40}(?:polic|access|relay|temporar|try again|service|block|restrict|allow|denied|permission|not accept))|rejected recipient|addressee (?:unknown|not)|nobody (?:here )?(?:by|with|of) (?:that|this) name|address (?:error|incorrect|is wrong)|(?:address|user) (?:could|can)(?: ?not|n't) be (?:found|resolved|delivered)|check (?:the |that the )?(?:recipient'?s? )?(?:e-?mail )?address|recipient not|not a recipient|no recipients? (?:were|was|found)|not known at this|misconfigured or does not|(?:address|addresse|email) not (?:present|in)|invalid final delivery userid|can't accept user|mail ?box not present|nessun utente simile|not a local address|recipient (?:is )?not (?:ok|accepted|local)|envelope recipient (?:has been denied|is in my)|bad ?rc(?:pt|ipient)to|badrecipientto|no ?(?:one|body) at this address|spectator does not exist|missing home directory|no ?one with that (?:e-?mail )?address|no such mail ?drop|(?:^|\d )not exists|handle mail for that user|find alias user|mail ?box is not allowed|not found in ldap|@ ?(?:was )?not found|no @ in name directory|no matches to nameserver query|final e-?mail (?:destination|delivery)|no mail ?box found|no mail box available|not found recipient|not in (?:my|our|the) (?:validrcptto|control|recipient|list|user|address|virtual)|no thank you rejected: account unavailable|wasn't found at|couldn't be (?:found|delivered to)|is not a (?:valid )?(?:mailbox|user)|inexistente?|inconnue?s?\b|introuvable|n'existe pas|unbekannt|ung(?:ü|ue)ltige[rns]? (?:empf|adress)|nicht (?:gefunden|bekannt|existent|vorhanden|zustellbar)|existiert nicht|no existe|desconocid|no se (?:encontr|pud)|sconosciut|non (?:esiste|trovat|è valid)|não (?:existe|foi encontrado|encontrad)|desconhecid|onbekend|niet (?:gevonden|bestaat)|bestaat niet|не (?:существует|найден)|неизвест|нет такого|存在しない|存在しません|見つかりません|あて先|宛先.{0,20}(?:不明|間違)|不明|用户不存在|不存在|존재하지|tidak ditemukan|nieznan|nie (?:istnieje|znalezion)|リストにありません|nicht im \S{1,40}verzeichnis|(?:non|pas) (?:répertorié|repertorie|elencato|inscrit)|nem (?:létezik|található)|δεν υπάρχει|غير موجود|nu există|ne postoji|не (?:існує|знайдено|съществува)|không tồn tại|tidak ada\b|ei (?:löydy|leitud|eksisteeri)|neeksist|neegzist|no (?:listado|figura) en|niet in (?:de )?\S{1,20}(?:directory|adresboek)|findes ikke|finns inte|okänd|ukendt|tuntematon|neznám|bulunamad/,
  },
  {
    // Why it took so long stands beside it, and is no reason to give up by itself.
    name: 'expired-in-queue',
    reason: 'expired',
    match:
      /in the queue too long|(?:could not be|not) delivered for (?:more than )?\d{1,3} (?:days|hours)|retry time(?:out exceeded| not reached for any host after a long failure)|failing for a long time|message (?:has )?expired|delivery time expired|sitting in (?:the )?queue|within the allowed queue period|find a gateway for|message timed out/,
  },
  {
    name: 'null-mx',
    reason: 'null-mx',
    match:
      /null ?mx|\b556\b|(?:domain|host) (?:does not|doesn't|will not) accept (?:any )?(?:e?-?mail|messages)|indicated no smtp service|recipient address has null/,
  },
  {
    name: 'no-such-domain',
    reason: 'no-such-domain',
    match:
      /host (?:or domain )?(?:name )?(?:not found|unknown|is unknown)|unknown (?:host|domain|mail (?:host|server))|(?:domain|host|hostname|server)(?: name)?\b[^.;]{0,60}(?:does ?n[o']?t exist|not exist|not found|could(?: not|n't) be found|non-?exist|invalid|not valid|unknown|can(?:not|'t) be (?:found|resolved)|does not resolve|no longer exist|inexist|not known|nicht gefunden|introuvable|no (?:existe|encontrad)|has no (?:mx|mail|dns)|is not reachable via)|no such (?:host|domain)|nxdomain|invalid (?:domain|host)|bad (?:destination )?(?:host|domain|destination system)|no (?:valid )?(?:mx|mail ?exchange\w{0,20}|a record|dns)\b|(?:couldn't|could not|cannot|can't|unable to) (?:find|look ?up|resolve|locate) (?:any |a |the |an )?(?:host|domain|mx|mail (?:host|exchanger|server)|dns|hostname|address(?:es)? for|ip)|name (?:or service not known|service error|has no usable)|unroute?able (?:mail )?domain|all (?:relevant mx|host address lookups)|mx records? .{0,40}(?:non-?existent|invalid|not|no|point)|no (?:mail )?(?:server|host|route) (?:found )?for (?:the )?domain|illegal host|does not have (?:any )?(?:valid )?mx|domain (?:is )?(?:not|isn't) (?:registered|hosted|local|valid|our)|unresolvable|domain name (?:not|is)|no mail server|deliver to .{0,40}domain does|mail exchange(?:r)?s? (?:not|for).{0,30}(?:not|unavailable|found)/,
  },
];
