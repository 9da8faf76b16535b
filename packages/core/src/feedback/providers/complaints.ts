import { meaningOf } from '../mail/complaint.ts';

/** Reports of the same form in which nobody complains (RFC 5965 section 7.3, RFC 6591). */
const NO_COMPLAINT = /^(?:not-spam|auth-failure|dmarc)$/;

/** What a provider's complaint is by its type of report; without one, or with a new one, a complaint. */
export function complaintOf(type: string | undefined): 'complained' | 'unsubscribed' | undefined {
  const name = type?.toLowerCase() ?? 'abuse';
  return NO_COMPLAINT.test(name) ? undefined : (meaningOf(name) ?? 'complained');
}
