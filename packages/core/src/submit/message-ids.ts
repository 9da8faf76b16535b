/** Message-IDs (RFC 5322 section 3.6.4). */
import { MailRelayError } from '../errors.ts';
import { headerText, MAX_HEADER_BYTES, MAX_WORD } from './headers.ts';

/**
 * Message-IDs out of text with blanks between them, or a list, each in angle brackets.
 *
 * @throws MailRelayError `HEADER_INVALID` for a line break, for what is no Message-ID, or for more than 32,768 characters.
 */
export function messageIds(value: string | readonly string[] | undefined, field: string): string[] {
  // As a whole: what stands after a line break must not be taken for another of them, or be left out.
  const texts = [value ?? []].flat().map((text) => headerText(text, field));
  const ids = texts.flatMap((text) => text.split(/[ \t]+/).filter((id) => id !== ''));
  if (ids.join(' ').length > MAX_HEADER_BYTES) throw invalid(field, `has more than ${MAX_HEADER_BYTES} characters`);
  return ids.map((id) => bracketed(id, field));
}

/** One Message-ID, or none. */
export function messageIdOf(value: string | undefined, field: string): string | undefined {
  const [id, ...more] = messageIds(value, field);
  if (more.length > 0) throw invalid(field, 'must be one Message-ID');
  return id;
}

function bracketed(id: string, field: string): string {
  const whole = id.startsWith('<') ? id : `<${id}>`;
  if (!/^<[\x21-\x3b\x3d\x3f-\x7e]+>$/.test(whole) || whole.length > MAX_WORD)
    throw invalid(field, `has no Message-ID form: visible ASCII characters, at most ${MAX_WORD}`);
  return whole;
}

function invalid(field: string, problem: string): MailRelayError {
  return new MailRelayError('HEADER_INVALID', { header: field, reason: `${field} ${problem}` });
}
