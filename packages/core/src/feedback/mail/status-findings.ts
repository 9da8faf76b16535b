import { isClearStatus, judge } from '../../reasons/port.ts';
import { shorten, withoutBoilerplate } from './boilerplate.ts';
import { failuresOf, repliesIn, saidIn } from './bounce-text.ts';
import type { Contents } from './contents.ts';
import { shown } from './mime.ts';
import type { MailFinding } from './report.ts';
import { isDelay } from './signs.ts';
import type { RecipientStatus } from './status-fields.ts';

/** What a delivery status says about each recipient; words for people help where its codes say little. */
export function findingsOf(recipients: readonly RecipientStatus[], contents: Contents): MailFinding[] {
  const failures = failuresOf(contents);
  const said = saidIn(contents.text);
  const subject = shown(contents.headers, 'subject');
  return recipients.flatMap((one) => {
    const type = typeOf(one, subject, said);
    if (type === undefined) return [];
    const final = isWhole(one.recipient) ? one.recipient : (one.originalRecipient ?? one.recipient);
    const recipient = final ?? (recipients.length === 1 ? failures[0]?.recipient : undefined);
    const finding = { type, recipient, originalRecipient: one.originalRecipient, status: one.status, raw: one.raw };
    if (type === 'delivered') return [{ ...finding, diagnostic: one.diagnostic }];
    const own = failures.find((failure) => failure.recipient?.toLowerCase() === recipient?.toLowerCase());
    const texts = [own?.text ?? '', recipients.length === 1 ? said : ''].filter((text) => text !== '');
    return [{ ...finding, ...reasonOf(one, texts) }];
  });
}

/** Whether an address is more than the name of a mailbox within a server. */
function isWhole(address: string | undefined): boolean {
  return address !== undefined && /@.*\./.test(address);
}

/** What an `Action` means. Servers write it in many ways, and some leave it out. */
function typeOf(
  { action = '', status, diagnostic }: RecipientStatus,
  subject: string,
  said: string,
): MailFinding['type'] | undefined {
  if (/^deliver|^relay|^expand/.test(action)) return 'delivered';
  if (/^delay|^defer|^retr|^transient/.test(action)) return 'deferred';
  if (/^fail|^bounc|^reject|^undeliver|^expire|^hard|^soft|^error/.test(action)) return 'bounced';
  if (status?.startsWith('2')) return 'delivered';
  if (status?.startsWith('5')) return 'bounced';
  if (status?.startsWith('4')) return isDelay(subject, said) ? 'deferred' : 'bounced';
  return diagnostic === undefined ? undefined : 'bounced';
}

/** Codes that name nothing. */
const NOTHING = /^[45]\.0\.0$/;

function reasonOf(
  one: RecipientStatus,
  said: readonly string[],
): Pick<MailFinding, 'judged' | 'status' | 'code' | 'diagnostic'> {
  const diagnostic = one.diagnostic ?? '';
  const replies = repliesIn(diagnostic);
  const code =
    replies.code ??
    (/^\s*([45]\d\d)\b/.exec(diagnostic)?.[1] === undefined
      ? undefined
      : Number(/^\s*([45]\d\d)\b/.exec(diagnostic)?.[1]));
  const status = one.status === undefined || NOTHING.test(one.status) ? (replies.status ?? one.status) : one.status;
  const byReply = judge({ text: diagnostic, status, code });
  const isOpen =
    byReply.rule === 'nothing' ||
    (byReply.rule === 'status' && diagnostic === '' && !isClearStatus(status)) ||
    isVague(byReply.reason, status);
  const bySaid = isOpen
    ? said
        .map((text) => judge({ text: withoutBoilerplate(text), status, code: code ?? repliesIn(text).code }))
        .find(({ rule, reason }) => rule !== 'nothing' && !isVague(reason, status))
    : undefined;
  return {
    judged: bySaid ?? byReply,
    status,
    code,
    diagnostic: (diagnostic || shorten(said[0] ?? '')).slice(0, 1000) || undefined,
  };
}

function isVague(reason: string, status: string | undefined): boolean {
  return (
    reason === 'other' ||
    ((reason === 'system' || reason === 'policy') && (status === undefined || NOTHING.test(status)))
  );
}
