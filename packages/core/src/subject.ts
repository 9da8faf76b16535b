import { MailRelayError } from './errors.ts';

/** Longest subject, characters; of those that are shown, the longest has about 250. */
const MAX_SUBJECT = 1000;

/**
 * The subject of a mail, given or rendered.
 *
 * @throws MailRelayError `MESSAGE_INVALID` for one over 1,000 characters
 */
export function checkSubject(subject: string): string {
  if (subject.length <= MAX_SUBJECT) return subject;
  const reason = `subject has ${subject.length} characters, allowed are ${MAX_SUBJECT}`;
  throw new MailRelayError('MESSAGE_INVALID', { field: 'subject', reason });
}
