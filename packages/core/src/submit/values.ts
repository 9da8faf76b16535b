/** Single values of a message, as they are stored. */
import { type AddressInput, type Mailbox, parseMailboxes } from '../address.ts';
import { MailRelayError } from '../errors.ts';
import type { ResolvedTracking, TrackingOptions } from '../message.ts';
import { checkSubject } from '../subject.ts';
import { headerText } from './headers.ts';
import type { AddressList } from './input.ts';

/** One mailbox. */
export function onlyOne(input: AddressInput | Mailbox | AddressList | undefined, field: string): Mailbox | undefined {
  if (input === undefined) return undefined;
  const list = parseMailboxes(input as AddressInput, field);
  if (list.length !== 1) throw new MailRelayError('ADDRESS_INVALID', { field, reason: `${field} must be one address` });
  return list[0];
}

/** A body, out of text or bytes. */
export function textOf(value: string | Uint8Array | undefined, field: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return decoded(value, field);
  throw new MailRelayError('MESSAGE_INVALID', {
    field,
    reason: `${field} must be text or bytes; read files and streams first`,
  });
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What is in another encoding would arrive as question marks. */
function decoded(bytes: Uint8Array, field: string): string {
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    const reason = `${field} has bytes that are no UTF-8: decode it first, and give its text`;
    throw new MailRelayError('MESSAGE_INVALID', { field, reason }, { cause });
  }
}

/** A subject that is given, or that a function made. */
export function subjectOf(value: string): string;
export function subjectOf(value: string | undefined): string | undefined;
export function subjectOf(value: string | undefined): string | undefined {
  return value === undefined ? undefined : checkSubject(headerText(value, 'subject'));
}

/** A name of up to 200 characters. */
export function nameOf(value: string | undefined, field: string): string | undefined {
  if (value === undefined) return undefined;
  const text = headerText(value, field);
  if (text.length === 0 || text.length > 200)
    throw new MailRelayError('MESSAGE_INVALID', { field, reason: `${field} must have 1 to 200 characters` });
  return text;
}

/** Whether a value is a language tag (RFC 5646), loosely. */
export function isLocale(locale: unknown): locale is string {
  return typeof locale === 'string' && locale.length <= 100 && /^[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*$/.test(locale);
}

/** A language tag, with hyphens. */
export function localeOf(locale: string | undefined): string | undefined {
  if (locale !== undefined && !isLocale(locale)) {
    throw new MailRelayError('MESSAGE_INVALID', {
      field: 'locale',
      reason: 'locale must be a language tag such as fr or fr-CA',
    });
  }
  return locale?.replaceAll('_', '-');
}

/** Tracking of a message, over that of its stream. */
export function trackingOf(
  tracking: TrackingOptions | false | undefined,
  standard: ResolvedTracking,
): ResolvedTracking {
  if (tracking === undefined) return standard;
  if (tracking === false) return { opens: false, clicks: false, utm: undefined };
  return {
    opens: tracking.opens ?? standard.opens,
    clicks: tracking.clicks ?? standard.clicks,
    utm: tracking.utm ?? standard.utm,
  };
}
