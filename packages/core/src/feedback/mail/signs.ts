/** Signs by which a mail is known for a bounce, a delay notice or an automatic answer, in the languages that servers and people write. */

/** Local parts and names of those who send bounces. */
export const DAEMON: RegExp =
  /mailer[-_. ]?daemon|post[ _]?master|mail ?(?:delivery|administrator|admin|system|server|router|gateway)|mdaemon|mail(?:er)?[-_]?(?:system|service|sweeper)|microsoft ?exchange|symantec|sysadm|virus|mail_?deliver|mailerdaemon|^daemon@|bounce[sd]?@|delivery (?:subsystem|status|service|system)|system administrator|systemadministrator|administrateur syst|administrador d(?:el|o) sistema|amministratore di sistema|systeembeheerder|message (?:delivery|router)|internet mail|\bmta\b|mmdf|x\.?400|listserv|lotus|groupwise|postoffice|mailer@|mailgate|smtpd?@|scanmail|interscan|imss|trend ?micro|abuse@|\bmail@|root@|no-?reply@.*(?:google|amazonses)/i;

/** Of these, those who send much else: logs, digests, notices. */
export const OFFICE: RegExp =
  /(?:root|abuse|mail|no-?reply|smtpd?)@|sysadm|virus|symantec|trend ?micro|listserv|lotus|groupwise|internet mail|scanmail|interscan|imss/i;

/** Subjects of bounces. */
export const FAILED_SUBJECT: RegExp =
  /undeliver|not (?:be )?deliver|un-?delivered|deliver(?:y|ing)? .{0,40}(?:fail|problem|error|status|notification|report|unsuccess|not|incomplete)|(?:fail|error|problem|unable|could ?n[o']t|impossible).{0,40}(?:deliver|send|mail)|(?:mail|message|delivery|send(?:ing)?|user|transmission|returned?) ?(?:system )?(?:fail|error|problem|return|refus|reject|block|unknown|not found|bounce)|fail(?:ure|ed)? (?:notice|notification|mail|delivery|transmission)|return(?:ed|ing|s)? (?:mail|message|to sender|e-?mail)|retourn|bounced?|nondeliver|non[- ]?(?:deliver|remis|recapit|deliv|entreg)|rejected|refused|message (?:blocked|could|cannot|you sent)|mail rejet|(?:message|courrier|mail|remise).{0,30}(?:non|échec|echec|impossible)|échec|echec|unzustellbar|nicht zugestellt|zustell|fehlgeschlagen|unzulässig|fehler|rücksendung|no se (?:ha podido|pudo|puede) (?:entregar|enviar)|no (?:se )?entreg|no entregad|correo devuelto|devuelto|devolvi|fallo|fall[oó] (?:la )?entrega|error de entrega|mancat[ao]|impossibile|non recapitat|consegna|não (?:foi )?(?:entregue|pôde|pode)|falha|devolvid|onbestelbaar|niet (?:bezorgd|afgeleverd|verzonden)|kan niet|bezorg|не доставлено|недоставлен|не удалось|ошибка|возвращ|配信(?:不能|エラー|失敗|できま)|送信(?:エラー|失敗|できま)|エラー|不達|届き(?:ませ|ませんでした)|戻り|退信|退回|系统退信|投递失败|无法投递|退回|반송|전송 ?실패|kan inte levereras|ikke leveres|leveringsfejl|toimittam|nie (?:dostarcz|można)|zwrot|nedoruč|kézbesíthetetlen|iletilemedi|teslim edilem|failure notice|abnormal|alert:.*(?:mail|virus|attach)|report: |considered spam|spam|virus/i;

/** Phrases with which the text of a bounce explains itself. */
export const FAILED_TEXT: RegExp =
  /(?:could ?n[o']t|could not|cannot|can ?not|can't|was not|were not|has not been|unable to|failed to|not able to|is not|impossible to|won't|did not) (?:be )?(?:deliver|reach|sen[dt]|accept|process|forward|relay)|deliver(?:y|ing).{0,60}(?:failed|fails|failure|error|unsuccessful|not possible|aborted|problem)|undeliver|(?:following|these|this) (?:recipient|address|user|destination)s?.{0,120}(?:fail|reject|error|could not|cannot|problem|not reach|unknown|invalid)|failed (?:permanently|recipient|address|to deliver)|permanent (?:fatal )?(?:error|failure)|(?:error|trouble|problem)s? (?:has occurred |while |in |with ){0,6}(?:attempting to )?deliver|fatal errors?|returned (?:mail|message|to sender|below|unopened)|return(?:ing|ed) (?:your|the|to)|(?:was|been|is|were) (?:rejected|returned|refused|bounced|blocked|not delivered)|transcript of session|this is the .{0,40}program|mail (?:system|delivery) (?:error|fail|problem)|did not reach|user unknown|unknown user|no such user|mailbox (?:is )?full|n'a pas (?:pu|été)|n'ont pas|échec|nicht (?:zugestellt|zustell|erreich|ausgeliefert)|konnte(?:n)? nicht|unzustellbar|no (?:se )?(?:ha podido|pudo|puede|pueden) (?:ser )?(?:entreg|envi)|no fue entreg|non (?:è stato|ha raggiunto|recapit|può|sono stat)|impossibile (?:consegn|recapit)|não (?:foi|pôde|pode|conseg|alcan)|niet (?:bezorg|afgelev|worden)|не (?:доставлен|удалось|может быть)|送信(?:できま|に失敗|されま)|配信(?:できま|に失敗|されま|不能)|届けできま|送れません|届きません|エラー|无法|失败|退回|전송.{0,10}실패|kunde inte|kunne ikke|nie (?:mógł|może|został)|error(?:s)? (?:occurred|while|code)|reason (?:for|of) (?:fail|non|the|reject)|smtp error|remote (?:server|host|smtp).{0,40}(?:said|returned|reply|response|answer|reject)|550[ -]|554[ -]|553[ -]|552[ -]/i;

/** A report is about a mail, and not about a parcel. */
export const OF_MAIL: RegExp =
  /\b(?:e-?mails?|messages?|mails?|recipients?|nachricht|mensaje|correo|courrier|messaggio|mensagem|bericht|wiadomo)|письм|сообщен|メール|メッセージ|邮件|郵件|메일|послан/i;
export const OF_PARCELS: RegExp = /\b(?:parcels?|packages?|shipments?|courier|pakete?|colis|paquetes?|pacco)\b/i;

/** A delay notice: the mail is still being tried. */
export const DELAYED: RegExp =
  /warning[: ].{0,60}(?:could not send|delay|still|not (?:yet )?been delivered|message)|(?:delivery|mail|message|e-?mail)\b.{0,60}\b(?:is |was |has been |been |temporarily |being ){0,6}delay(?:ed)?\b|delay(?:ed)? (?:mail|delivery|message|notification|notice|dsn|\()|\(delay\)|still being (?:retried|tried|attempted|processed|queued)|(?:will|is going to|going to|shall) (?:continue|keep|be|try|retry|re-?attempt|still)(?: to)? ?(?:be )?(?:retr|try|trying|attempt|deliver)|will (?:be )?re-?tr(?:y|ied)|not yet (?:been )?deliver|has not been delivered yet|warning message only|you do not need to resend|do not need to resend|no action is required on your part|delivery attempts will continue|(?:has|have) not (?:yet )?been (?:delivered|collected).{0,40}(?:yet|so far)|queued for (?:further )?(?:retry|delivery)|verzögert|verzögerung|en attente|retardé|retard[eé]e?|différé|demorad|retras(?:o|ado)|ritardat|ritardo|in ritardo|atrasad|atraso|adiad|vertraagd|vertraging|задерж|отложен|遅延|遅れて|再送(?:信)?を?(?:試み|中|しま)|延迟|延遲|försenad|forsink|opóźni/i;

/** The mail was given up after delays. */
const GIVEN_UP: RegExp =
  /giv(?:en|ing) up|no longer (?:be )?(?:try|tried|attempt|retr)|will not (?:be )?(?:retr|tr(?:y|ied))|not going to try|undeliverable|could not be delivered for|permanent(?:ly)? (?:fail|error|fatal)|(?:has|have) (?:been )?(?:failed|expired|given|removed|bounced)|final|expired|returned to|retry timeout exceeded|this is a permanent error/i;

/** Subjects of automatic answers. */
export const AUTO_SUBJECT: RegExp =
  /out[- ]of[- ](?:the[- ])?office|\booo\b|auto(?:matic|mated|matische?)?[- ]?(?:re(?:ply|sponse|ponse|spond\w*)|antwort\w*|answer|svar)|vacation|on (?:holiday|leave|annual leave|maternity|sabbatical)|away (?:from|on|until|notice|message)|i(?:'m| am) (?:away|out|on (?:vacation|holiday|leave))|absen[ct]|abwesen|automatische? (?:antwort|beantwoord|antwoord)|urlaub|nicht im (?:büro|haus)|réponse automatique|en vacances|congés?\b|absence du bureau|message d'absence|respuesta autom|fuera de (?:la )?oficina|de vacaciones|ausente|risposta automatica|fuori (?:sede|ufficio)|assenza|in ferie|resposta autom|fora do escrit|férias|afwezig|met vakantie|автоответ|автоматический ответ|отпуск|不在|自動(?:返信|応答|回答|配信)|休暇|自动(?:回复|答复)|自動回覆|外出|부재중|자동 ?(?:응답|회신)|automatiskt? svar|autosvar|frånvaro|fravær|semester|poissa|lomalla|autoodpowied|automatyczna odpowied|nieobecn|automatická odpov|otomatik|ofis dışında|thank you for (?:your (?:e-?mail|message|enquiry|inquiry)|contacting)|(?:we|i) (?:have )?received your (?:e-?mail|message|request)|ticket (?:received|created|#)|request received|acknowledg/i;

/** Text of automatic answers. */
export const AUTO_TEXT: RegExp =
  /(?:i am|i'm|i will be|we are|am currently) (?:currently |now )?(?:out of|away|on (?:vacation|holiday|leave|annual)|not in the office|travell?ing|unavailable)|out of (?:the )?office|on (?:annual|maternity|parental|sick) leave|limited access to (?:my )?e-?mail|will (?:be back|return) (?:on|to|in)|upon my return|automat(?:ic|ed) (?:reply|response|answer)|auto-?re(?:ply|sponse)|bin (?:ich )?(?:derzeit|zurzeit|bis|vom|ab|im|nicht)|nicht im (?:büro|haus)|je suis (?:absent|actuellement|en congé)|estoy fuera|sono (?:assente|fuori)|estou (?:ausente|fora|de férias)|ben (?:momenteel|afwezig)|不在|休暇|自動返信/i;

/** Somebody's filter asks whether a person wrote. */
export const CHALLENGE: RegExp =
  /boxtrapper|spam ?arrest|\btmda\b|earthlink.{0,60}(?:spamblocker|suspect|approv|allowed)|challenge[-/ ]response|mailblocks|choicemail|(?:please |to )?(?:confirm|verify|validate|authenticate) (?:your |that you|yourself|the |this )?(?:e-?mail|message|address|delivery|sender|are|identity|being)|your (?:message|e-?mail|mail) .{0,80}(?:requires?|needs?|awaits?|awaiting|waiting for) (?:\w{1,30} )?(?:confirmation|verification|approval|authorization|authori[sz])|(?:waiting|held) (?:for|until) (?:\w{1,30} )?(?:confirm|verif|approv)|click .{0,80}(?:to (?:verify|confirm|deliver|release|be allowed|authenticate)|prove)|one[- ]time (?:verification|confirmation|authentication)|moderat(?:or|ion|ed)\b.{0,60}(?:approval|await|held)|whitelist.{0,60}(?:request|confirm|yourself|add)|sender verification required|unverified sender|bluebottle|active ?spam ?killer|\bask\b.{0,20}(?:confirm)/i;

/** Whether a report says that the mail is still being tried. Its subject says so, or its text, unless that has given up. */
export function isDelay(subject: string, said: string): boolean {
  if (DELAYED.test(subject)) return true;
  const start = said.slice(0, 3000);
  return DELAYED.test(start) && !GIVEN_UP.test(start);
}
