/** What entries of the lists of providers say. */
import { judge } from '../../reasons/port.ts';
import { reasonIn } from './reasons.ts';
import type { Fields } from './rows.ts';
import { isYes, type Said, textIn } from './said.ts';

/** SendGrid has bounces and blocks in lists of one form. What the words lay at another door is no reason to leave an address out. */
export function bounceOrBlock(fields: Fields): Said {
  const said = sendgrid(fields);
  const text = textIn(fields, 'reason') ?? '';
  const { fault, rule } = judge({ text, status: textIn(fields, 'status') });
  const isOurs = rule !== 'nothing' && fault !== 'recipient';
  return isOurs ? { ...said, skip: 'it was refused for no fault of the recipient' } : said;
}

export function block(fields: Fields): Said {
  const { kind } = judge({ text: textIn(fields, 'reason') ?? '', status: textIn(fields, 'status') });
  const said = bounceOrBlock(fields);
  return kind === 'hard' ? said : { ...said, skip: said.skip ?? 'it was blocked for a time' };
}

export function sendgrid(fields: Fields): Said {
  return {
    address: textIn(fields, 'email'),
    evidence: textIn(fields, 'reason', 'status'),
    since: textIn(fields, 'created'),
  };
}

export function mailgun(fields: Fields): Said {
  const evidence = [textIn(fields, 'code'), textIn(fields, 'error')].filter((one) => one !== undefined).join(' ');
  return {
    address: textIn(fields, 'address'),
    evidence: evidence === '' ? undefined : evidence,
    since: textIn(fields, 'createdat'),
  };
}

/** `*` is all mail of the domain, other tags are kinds of it. */
export function mailgunLeft(fields: Fields): Said {
  const tags = fields.get('tags') ?? fields.get('tag');
  const names = (Array.isArray(tags) ? tags : [tags]).flatMap((tag) =>
    String(tag ?? '')
      .split(/[,;]/)
      .map((one) => one.replace(/["'[\]]/g, '').trim())
      .filter((one) => one !== ''),
  );
  const scopes = names.includes('*') ? undefined : names.map((name) => `topic:${name}`);
  return { ...mailgun(fields), scopes: scopes?.length === 0 ? undefined : scopes };
}

export function brevo(fields: Fields): Said {
  const why = fields.get('reason');
  const told = typeof why === 'object' && why !== null ? (why as { code?: unknown; message?: unknown }) : undefined;
  const code = told === undefined ? textIn(fields, 'reason', 'reasoncode', 'blockedreason') : String(told.code ?? '');
  const message = told === undefined ? textIn(fields, 'message', 'reasonmessage') : String(told.message ?? '');
  return {
    address: textIn(fields, 'email', 'emailaddress'),
    reason: reasonIn(code),
    evidence: [code, message].filter((one) => one !== undefined && one !== '').join(': '),
    since: textIn(fields, 'blockedat', 'date'),
  };
}

export function postmark(fields: Fields): Said {
  const why = textIn(fields, 'suppressionreason') ?? '';
  const origin = textIn(fields, 'origin');
  const byReader = /^recipient$/i.test(origin ?? '');
  const isManual = /manual/i.test(why);
  return {
    address: textIn(fields, 'emailaddress', 'email'),
    reason: isManual && byReader ? 'unsubscribed' : reasonIn(why),
    evidence: [why, origin].filter((one) => one !== undefined && one !== '').join(' by '),
    since: textIn(fields, 'createdat'),
  };
}

export function mailjet(fields: Fields): Said {
  return {
    address: textIn(fields, 'email'),
    evidence: textIn(fields, 'name') === undefined ? undefined : 'excluded from campaigns',
    since: textIn(fields, 'exclusionfromcampaignsupdatedat', 'unsubscribedat', 'lastupdateat'),
    skip: isYes(fields.get('isexcludedfromcampaigns')) ? undefined : 'it is not excluded',
  };
}

export function sparkpost(fields: Fields): Said {
  const type = plainType(textIn(fields, 'type'));
  const forAll = isYes(fields.get('transactional')) || type === 'transactional';
  const forNews = isYes(fields.get('nontransactional')) || type === 'nontransactional';
  const scopes = forAll && forNews ? ['all'] : forAll ? ['transactional'] : forNews ? ['broadcast'] : undefined;
  return {
    address: textIn(fields, 'recipient', 'email'),
    reason: reasonIn(textIn(fields, 'source')) ?? reasonIn(textIn(fields, 'description')),
    scopes,
    evidence: textIn(fields, 'description', 'source'),
    since: textIn(fields, 'created', 'updated'),
  };
}

const plainType = (type = ''): string => type.toLowerCase().replace(/[\s_-]/g, '');
