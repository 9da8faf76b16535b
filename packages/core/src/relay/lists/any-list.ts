import { reasonIn } from './reasons.ts';
import type { Fields } from './rows.ts';
import { type Said, textIn } from './said.ts';

const ADDRESS = [
  'email',
  'address',
  'emailaddress',
  'recipient',
  'contact',
  'recipientaddress',
  'blockedemail',
  'mail',
];
const WHY = ['reason', 'type', 'suppressionreason', 'origin', 'category', 'motif', 'raison'];
const WHEN = [
  'since',
  'createdat',
  'created',
  'date',
  'lastupdatetime',
  'blockedat',
  'addedat',
  "dated'ajout",
  'dateajout',
];

/** Any list with addresses; also that of `export()`, and Sarbacane's, which names its columns as they like. */
export function list(fields: Fields): Said {
  const why = textIn(fields, ...WHY);
  const reason = reasonIn(why);
  const scope = textIn(fields, 'scope');
  return {
    address: textIn(fields, ...ADDRESS),
    reason,
    scopes: scope === undefined ? undefined : [scope],
    evidence:
      textIn(fields, 'evidence', 'error', 'description', 'note', 'message', 'status', 'code') ??
      (reason === undefined ? why : undefined),
    since: textIn(fields, ...WHEN),
    until: textIn(fields, 'until', 'expires', 'expiresat', 'expire'),
  };
}

/** Whether a CSV with these columns has addresses. */
export function hasAddresses(names: readonly string[]): boolean {
  return names.some((name) => ADDRESS.includes(name));
}
