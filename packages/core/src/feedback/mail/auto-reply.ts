import { first, type Headers, shown } from './mime.ts';
import { AUTO_SUBJECT, AUTO_TEXT, CHALLENGE, DAEMON, FAILED_SUBJECT, FAILED_TEXT, OFFICE } from './signs.ts';

/** Headers that only automatic answers have; servers that bounce mail put others, such as Auto-Submitted, as well. */
const OWN_HEADERS = [
  'x-autoreply',
  'x-autorespond',
  'x-autoresponder',
  'x-autoreply-from',
  'x-auto-reply',
  'x-vacation',
  'x-mail-autoreply',
  'x-mailer-autoreply',
  'x-cron-env-none',
  'x-boxtrapper',
  'x-tmda-fingerprint',
  'x-tmda-confirm',
  'x-spamarrest-id',
  'x-delivery-agent-tmda',
] as const;

/** Whether the header of a mail says that a server reports. */
export function isFromDaemon(headers: Headers): boolean {
  return (
    ['from', 'sender', 'reply-to'].some((name) => DAEMON.test(shown(headers, name))) ||
    /^\s*(?:<\s*>)?\s*$/.test(first(headers, 'from') ?? 'nobody')
  );
}

/** Whether who reports sends much else as well. */
export function isFromOffice(headers: Headers): boolean {
  const from = shown(headers, 'from');
  return OFFICE.test(from) && !DAEMON.test(from.replace(new RegExp(OFFICE, 'gi'), ' '));
}

/** Whether somebody's program answered for them (RFC 3834), or asks whether a person wrote. Never a bounce. */
export function isAutoReply(headers: Headers, text: string): boolean {
  const subject = shown(headers, 'subject');
  const fails = FAILED_SUBJECT.test(subject.replace(/^\s*(?:re|aw|sv|antw|fwd?)\s*:/i, ''));
  const start = text.slice(0, 3000);
  const daemon = isFromDaemon(headers);
  // A bounce repeats the subject of what it brings back, whatever that says.
  if (CHALLENGE.test(subject) || (CHALLENGE.test(start) && !fails))
    return !fails || !(daemon || FAILED_TEXT.test(start));
  if (OWN_HEADERS.some((name) => headers.has(name) && !/^(?:no|0)?$/i.test(first(headers, name) ?? '')) && !fails)
    return true;
  if (/^(?:re\s*:\s*)?/i.test(subject) && AUTO_SUBJECT.test(subject) && !(daemon && fails)) return true;
  if (daemon && fails) return false;
  const submitted = first(headers, 'auto-submitted') ?? '';
  const precedence = `${first(headers, 'precedence') ?? ''} ${first(headers, 'x-precedence') ?? ''}`;
  const says = /auto-replied|vacation/i.test(submitted) || /auto[-_]?reply|vacation/i.test(precedence);
  if (says && !daemon) return !fails;
  return !daemon && !fails && AUTO_TEXT.test(start);
}
