import type { ReasonRule } from './rule.ts';

/** What servers say in other languages than English. */
export const LANGUAGE_RULES: readonly ReasonRule[] = [
  {
    name: 'spam-in-other-languages',
    reason: 'spam-rejected',
    match: /垃圾(?:邮件|郵件)|на спам|pourriel|correo no deseado|posta indesiderata|迷惑メール|스팸/,
  },
  {
    name: 'too-big-in-other-languages',
    reason: 'message-too-big',
    match:
      /(?:nachricht|e-?mail|anhang) (?:ist )?zu gro|taille (?:maximale|limite)|trop (?:volumineux|gros|lourd)|demasiado grande|excede el tamaño|troppo grande|dimension[ie] massim|muito grande|excede o tamanho|te groot|za du(?:ż|z)[ay]|размер (?:письма|сообщения)|сообщение слишком большое|サイズが(?:大き|制限|上限)|(?:邮件|郵件)(?:过大|過大|太大|大小)|용량이 너무/,
  },
  {
    name: 'no-such-domain-in-other-languages',
    reason: 'no-such-domain',
    match:
      /dom(?:ä|ae|a)ne? (?:\S{1,80} )?(?:wurde )?nicht gefunden|domaine (?:\S{1,80} )?(?:est )?(?:inconnu|inexistant|introuvable)|dominio (?:\S{1,80} )?(?:no (?:encontrado|existe)|inexistente|desconocido|sconosciuto|inesistente)|domínio (?:\S{1,80} )?(?:não|inexistente|desconhecido)|домен (?:\S{1,80} )?не (?:найден|существует)|域名不存在|ドメインが(?:見つかり|存在し)/,
  },
  {
    name: 'mailbox-full-in-other-languages',
    reason: 'mailbox-full',
    match:
      /(?:postfach|mailbox|speicher(?:platz)?) .{0,40}(?:voll|überfüllt|erschöpft|überschritten)|kontingent .{0,30}(?:überschritten|erschöpft)|(?:bo[iî]te|quota) .{0,40}(?:pleine|saturée|dépassé)|(?:cuota|espacio) .{0,30}(?:excedid|superad|agotad)|buz[oó]n .{0,30}llen|casella .{0,40}piena|spazio .{0,30}(?:esaurit|insufficiente)|caixa .{0,40}cheia|cota .{0,20}excedida|postvak .{0,30}vol\b|skrzynka .{0,40}(?:pełna|przepełniona)|przepełnion|ящик .{0,30}(?:полон|переполнен)|превышена квота|(?:邮箱|郵箱|信箱)(?:已满|已滿|空间不足|空間不足)|용량.{0,6}초과/,
  },
  {
    name: 'inactive-in-other-languages',
    reason: 'inactive',
    match:
      /(?:konto|postfach|benutzer|empfänger|mailbox) .{0,40}(?:deaktiviert|gesperrt|stillgelegt|inaktiv)|(?:compte|bo[iî]te) .{0,40}(?:désactivé|desactiv|suspendu|fermé|bloqu)|(?:cuenta|buz[oó]n|casilla|usuario) .{0,40}(?:desactivad|inactiv|suspendid|deshabilitad|expirado|bloquead)|(?:account|casella|indirizzo|utente) .{0,40}(?:disattivat|disabilitat|bloccato|sospes)|(?:conta|caixa) .{0,40}(?:desativad|inativ|suspens|bloquead)|konto .{0,40}(?:zablokowan|nieaktywn)|(?:уч[её]тная запись|ящик|аккаунт) .{0,40}(?:заблокирован|отключен|неактив|удал[её]н)|(?:账户|帐户|账号|帐号|邮箱|郵箱).{0,8}(?:禁用|停用|冻结|锁定|已注销)|アカウントは(?:停止|無効)|휴면/,
  },
  {
    name: 'no-such-mailbox-in-other-languages',
    reason: 'no-such-mailbox',
    match:
      /(?:destinatario|indirizzo|utente|casella) .{0,30}(?:errato|inesistente|non valid)|nie ma takiego (?:konta|u(?:ż|z)ytkownika|adresu)|brak takiego|(?:destinataire|adresse|utilisateur) .{0,30}(?:inexistant|invalide|erronée)|(?:dirección|destinatario|usuario) .{0,30}(?:no válid|inválid|incorrect)|(?:endereço|destinatário|usuário) .{0,30}(?:inválid|incorret)|(?:empfänger|adresse|benutzer) .{0,30}(?:gibt es nicht|ist ungültig|nicht bekannt)|(?:收件人|用户|用戶|邮箱|信箱|地址).{0,8}(?:不存在|无效|無效|错误|錯誤)|(?:ユーザー?|アドレス)が(?:見つかり|存在し|ありません)|(?:адресат|получател|пользовател|ящик)\S{0,20} .{0,30}не (?:найден|существует|зарегистрирован)/,
  },
];
