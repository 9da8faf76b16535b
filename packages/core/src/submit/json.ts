import { MailRelayError } from '../errors.ts';
import type { Json } from '../message.ts';

/**
 * A value as the store will give it back: dates become text, `undefined` is left out.
 *
 * @throws MailRelayError `MESSAGE_INVALID` for what JSON cannot hold.
 */
export function jsonOf(value: unknown, field: string): Readonly<Record<string, Json>> {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new MailRelayError('MESSAGE_INVALID', { field, reason: `${field} cannot be kept as JSON` }, { cause: error });
  }
  if (text === undefined || !text.startsWith('{'))
    throw new MailRelayError('MESSAGE_INVALID', { field, reason: `${field} must be an object` });
  return JSON.parse(text) as Readonly<Record<string, Json>>;
}
