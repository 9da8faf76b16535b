import type { Suppression } from '../../store/port.ts';
import { list } from './any-list.ts';
import {
  block,
  bounceOrBlock,
  brevo,
  mailgun,
  mailgunLeft,
  mailjet,
  postmark,
  sendgrid,
  sparkpost,
} from './readers.ts';
import type { Fields } from './rows.ts';
import { type Said, textIn } from './said.ts';

/** Forms of lists. `list` is any that names its columns, and that of `export()`. */
export type ListFormat =
  | 'sendgrid'
  | 'sendgrid-bounces'
  | 'sendgrid-blocks'
  | 'sendgrid-invalid-emails'
  | 'sendgrid-spam-reports'
  | 'sendgrid-unsubscribes'
  | 'mailgun-bounces'
  | 'mailgun-complaints'
  | 'mailgun-unsubscribes'
  | 'ses'
  | 'brevo'
  | 'postmark'
  | 'mailjet'
  | 'sparkpost'
  | 'sarbacane'
  | 'list';

interface Format {
  readonly name: ListFormat;
  /** Names of which each has to be there, and where `only`, no other. */
  readonly columns: readonly string[];
  readonly only?: true;
  /** Not told from another list by its columns: only where it is asked for. */
  readonly asked?: true;
  /** Reason of entries that name none. */
  readonly reason: Suppression['reason'];
  read(fields: Fields): Said;
}

const SES = ['emailaddress', 'reason', 'lastupdatetime'];

/** The first whose columns fit. */
const FORMATS: readonly Format[] = [
  { name: 'sendgrid-bounces', asked: true, columns: [], reason: 'bounced', read: sendgrid },
  { name: 'sendgrid-blocks', asked: true, columns: [], reason: 'bounced', read: block },
  {
    name: 'sendgrid',
    only: true,
    columns: ['status', 'reason', 'email', 'created'],
    reason: 'bounced',
    read: bounceOrBlock,
  },
  {
    name: 'sendgrid-invalid-emails',
    only: true,
    columns: ['reason', 'email', 'created'],
    reason: 'bounced',
    read: sendgrid,
  },
  {
    name: 'sendgrid-spam-reports',
    only: true,
    columns: ['ip', 'email', 'created'],
    reason: 'complained',
    read: sendgrid,
  },
  {
    name: 'sendgrid-unsubscribes',
    only: true,
    columns: ['email', 'created'],
    reason: 'unsubscribed',
    read: sendgrid,
  },
  {
    name: 'mailgun-bounces',
    columns: ['address', 'code', 'error', 'createdat'],
    reason: 'bounced',
    read: mailgun,
  },
  {
    name: 'mailgun-unsubscribes',
    columns: ['address', 'tags', 'createdat'],
    reason: 'unsubscribed',
    read: mailgunLeft,
  },
  {
    name: 'mailgun-unsubscribes',
    columns: ['address', 'tag', 'createdat'],
    reason: 'unsubscribed',
    read: mailgunLeft,
  },
  {
    name: 'mailgun-complaints',
    only: true,
    columns: ['address', 'createdat'],
    reason: 'complained',
    read: mailgun,
  },
  {
    name: 'ses',
    columns: SES,
    reason: 'bounced',
    read: (fields) => ({ ...list(fields), evidence: textIn(fields, 'reason') }),
  },
  { name: 'postmark', columns: ['emailaddress', 'suppressionreason'], reason: 'bounced', read: postmark },
  { name: 'brevo', columns: ['email', 'reason', 'blockedat'], reason: 'manual', read: brevo },
  {
    name: 'mailjet',
    columns: ['email', 'isexcludedfromcampaigns'],
    reason: 'unsubscribed',
    read: mailjet,
  },
  { name: 'sparkpost', columns: ['recipient', 'source'], reason: 'manual', read: sparkpost },
  { name: 'sparkpost', columns: ['recipient', 'nontransactional'], reason: 'manual', read: sparkpost },
  { name: 'sparkpost', columns: ['recipient', 'type'], reason: 'manual', read: sparkpost },
  { name: 'sarbacane', asked: true, columns: [], reason: 'unsubscribed', read: list },
  { name: 'list', columns: [], reason: 'manual', read: list },
];

/** Names of all forms. */
export const LIST_FORMATS: readonly ListFormat[] = [...new Set(FORMATS.map(({ name }) => name))];

/** The form that was asked for, else the one that these columns have. */
export function formatOf(names: readonly string[], asked: ListFormat | undefined): Format {
  const found = FORMATS.find(({ name, columns, only, asked: wantsAsking }) => {
    if (asked !== undefined) return name === asked;
    if (wantsAsking === true || (only === true && names.length !== columns.length)) return false;
    return columns.every((column) => names.includes(column));
  });
  return found as Format;
}
