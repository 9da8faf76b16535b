import { hash } from 'node:crypto';
import { canonical } from '../../canonical.ts';
import type { SubmittedRecipient } from '../../message.ts';
import type { AcceptInput } from '../port.ts';

/** SHA-256 of a text, base64url. */
export function sha256(text: string): string {
  return hash('sha256', text, 'base64url');
}

/**
 * What must be the same for a key to be repeated: all that the host handed in, but neither the version that a template has by
 * now nor the time to send at, which a retry may well have computed anew.
 */
export function contentHash(
  { content, campaign, tags, metadata, route }: Omit<AcceptInput, 'recipients'>,
  recipients: readonly SubmittedRecipient[],
): string {
  // Objects come with their keys in any order; the headers of one name stay in theirs.
  const headers = content.headers.toSorted(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  const all = { ...content, headers, version: undefined };
  return sha256(canonical([all, campaign, tags, metadata, route, recipients]));
}
