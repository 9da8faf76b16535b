import type { ReasonRule } from './rule.ts';

/** What servers have against the mail itself. */
export const MESSAGE_RULES: readonly ReasonRule[] = [
  {
    name: 'virus',
    reason: 'content-rejected',
    match:
      /(?<!anti[- ]?)virus(?!free|wall|[- ]free| scan)|malware|infected|trojan|worm\b|phishing|attachments?.{0,60}(?:not (?:allowed|permitted|accepted)|block|reject|prohibit|banned|type|denied|forbidden|unsafe|dangerous|illegal)|(?:block|forbidden|banned|illegal|prohibited|unsafe|restricted|executable) (?:file |attached )?(?:attachment|file|extension|executable)|5\.7\.0 .{0,80}security issue|blockedmessage|password protected|potential(?:ly)? (?:security|dangerous|harmful)/,
  },
  {
    name: 'malformed-message',
    reason: 'content-rejected',
    match:
      /(?<![/#])\brfc ?-?(?:2822|5322|822|2047|2045|1341|2046)(?!;)|(?:missing|invalid|bad|malformed|multiple|duplicate|illegal|no) (?:\w{1,30} )?(?:headers?\b|mime|message-?id|from:|date:|"?from"?[ :-]*(?:header|field|address))|headers? (?:are |is )?(?:too|missing|invalid|malformed|not)|header size exceed|bare (?:lf|cr|newline)|line (?:is )?too long|maximum (?:text )?line length|(?:8[- ]?bit|non-ascii|nul characters?|null characters?) .{0,40}(?:not|reject|illegal|header)|conversion (?:required|failed|with loss)|subject (?:contains|has) (?:invalid|illegal)|malformed (?:mail|message)|improper use of 8-bit|improperly-formatted binary|unnecessary base64|mime complexity|messages with multiple addresses|encoded-word syntax|disallowed header|no resent-from field|header error/,
  },
  {
    name: 'spam',
    reason: 'spam-rejected',
    match:
      /spam(?!haus|cop)|s(?:urbl|uribl)\b|\buribl|\burlbl|mass mailer|reject, id=\d|blocked for abuse|mail rejet[eé]\. mail rejected|recurrent pattern|blocked by our filter|message filtered|spam(?:score|content|mail)|junk ?(?:e?-?mail|message)?|unsolicited|bulk (?:e-?)?mail|\bube\b|\buce\b|high probability of|bayes|(?:looks|look|appears|appear|seems|too) (?:like |to be |much like )?(?:spam|a spam|bulk)|(?:message|mail|content) (?:\w{1,30} ){0,6}(?:scored|classified|considered|detected|identified|marked|flagged) (?:as|to be|too)(?! (?:invalid|unknown|inactive|undeliverable|disabled))|unwanted (?:mail|message|content)|aup#(?![a-z]{0,3}-?1(?:09|1[6-9]|26|53|56)0)|advertis|dspam|mailshell|suspected|spamming|anti-?spam|suspicious(?!remoteserver)|dt:spm|\(hvu:\w{1,8}\)|:spm\b/,
  },
  {
    name: 'content-policy',
    reason: 'content-rejected',
    match:
      /(?:message|mail|e-?mail) (?:has been |was |is |body |text ){0,6}(?:content|contains?|contained|containing) .{0,60}(?:reject|block|forbid|prohibit|not (?:accept|allow)|banned|denied|inappropriate|restricted|url|link|word)|content(?:s)? (?:filter|reject|policy|restriction|block|scan|control|is not|of|violat|not acceptable|denied)|(?:reject|block|refus|denied)\w{0,20} (?:by|due to|for|because of) (?:\w{1,30} ){0,3}content|\burls? (?:in|contain|block|black|found)|bad (?:url|link|word)|(?:banned|forbidden|prohibited|offensive) (?:word|content|phrase|url|language)|invalid (?:message )?content|reject(?:ing|ed) (?:mail |message |banned )content|message (?:rejected|refused|blocked|denied) by (?:the )?(?:content|filter|scan|header|body)|body (?:check|contain)/,
  },
  {
    name: 'message-too-big',
    reason: 'message-too-big',
    match:
      /(?:message|mail|e-?mail|attachment|body|header)(?:'s)? (?:\w{1,30} )?(?:size|length)[^.;]{0,40}(?:exceed|larger|over|bigger|greater|limit)|message (?:would |has )?exceed(?:s|ed|ing)? (?:\w{1,30} ){0,3}(?:size|limit|maximum|length)|(?:message|mail|e-?mail|attachment|data) (?:size |length |is |was |are ){0,6}(?:too (?:big|large|long)|larger than)|too (?:large|big)\b|(?:max(?:imum)?|fixed|allowed|administrative)\.? (?:\w{1,30} )?(?:message|mail|email|data|attachment)? ?(?:size|length)(?: limit)?|(?<!mailbox )size limit|message would exceed (?:the )?(?:max|size)|size (?:of (?:this|the) (?:message|mail) )?(?:exceeds|is over|restriction)|sizeexceed|exceed(?:s|ed)? (?:the )?(?:size|fixed|maximum (?:message|size|allowed (?:message |mail )?size))|taille limite|trop volumineux|dépasse la taille|zu gro(?:ß|ss)|demasiado grande|troppo grande/,
  },
];
