import { MailRelayError } from './errors.ts';

/**
 * Refuses keys that nobody reads, so that a typo is not taken for an option.
 *
 * @param group - name of the option that holds the keys; undefined at the top.
 * @throws MailRelayError `OPTION_UNSUPPORTED`, which names the key and never its value.
 */
export function checkKeys(given: object | undefined, known: readonly string[], group?: string): void {
  const place = group === undefined ? '' : `${group}.`;
  for (const key of Object.keys(given ?? {})) {
    if (known.includes(key)) continue;
    throw new MailRelayError('OPTION_UNSUPPORTED', {
      option: place + key,
      reason: `there is no option \`${place}${key}\`; known are ${known.join(', ')}`,
    });
  }
}
