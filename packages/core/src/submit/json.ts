import { MailRelayError } from '../errors.ts';
import type { Json } from '../message.ts';

/**
 * A value as the store will give it back: dates become text, `undefined` is left out.
 *
 * @throws MailRelayError `MESSAGE_INVALID` for what JSON cannot hold, and for what is larger.
 */
export function jsonOf(
  value: unknown,
  field: string,
  mostBytes: number = Number.POSITIVE_INFINITY,
): Readonly<Record<string, Json>> {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new MailRelayError('MESSAGE_INVALID', { field, reason: `${field} cannot be kept as JSON` }, { cause: error });
  }
  if (text === undefined || !text.startsWith('{'))
    throw new MailRelayError('MESSAGE_INVALID', { field, reason: `${field} must be an object` });
  const bytes = Buffer.byteLength(text);
  if (bytes > mostBytes)
    throw new MailRelayError('MESSAGE_INVALID', {
      field,
      reason: `${field} has ${bytes} bytes as JSON, allowed are ${mostBytes}`,
    });
  return JSON.parse(text) as Readonly<Record<string, Json>>;
}

/** Most of `metadata`, which is kept with each message and each recipient, bytes. */
const METADATA_BYTES = 16_384;

/** @throws MailRelayError `MESSAGE_INVALID` */
export function metadataOf(value: object | undefined): Readonly<Record<string, Json>> | undefined {
  return value === undefined ? undefined : jsonOf(value, 'metadata', METADATA_BYTES);
}
