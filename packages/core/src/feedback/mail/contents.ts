import { first, type Headers, type Part, readHeaders, textOf } from './mime.ts';

/** What a mail is made of, by what it is for. */
export interface Contents {
  readonly headers: Headers;
  /** What is said to people, in plain text where there is some. */
  readonly text: string;
  /** Fields of delivery status (RFC 3464, RFC 6533). */
  readonly statuses: readonly string[];
  /** Fields of a complaint (RFC 5965). */
  readonly complaint: string | undefined;
  /** It says that a mail was read (RFC 8098). */
  readonly isReceipt: boolean;
  /** Header of the mail that comes back. */
  readonly returned: Headers | undefined;
  /** The mail that comes back, as far as it is there. */
  readonly returnedText: string;
}

const STATUS = /^message\/(?:global-)?delivery-status$/;
const RETURNED =
  /^(?:message\/(?:rfc822|global|partial)|text\/rfc822(?:-headers?)?|message\/(?:rfc822-headers|global-headers))$/;

/** Sorts the parts of a mail. What is in the returned mail is not what the report says. */
export function contentsOf(mail: Part): Contents {
  const plain: string[] = [];
  const html: string[] = [];
  const statuses: string[] = [];
  let complaint: string | undefined;
  let isReceipt = false;
  let returned: Headers | undefined;
  let returnedText = '';

  function take(part: Part): void {
    const { type } = part;
    if (STATUS.test(type)) statuses.push(textOf(part));
    else if (type === 'message/feedback-report') complaint ??= textOf(part);
    else if (/^message\/(?:global-)?disposition-notification$/.test(type)) isReceipt = true;
    else if (RETURNED.test(type)) takeReturned(part);
    else if (type.startsWith('multipart/')) for (const inner of part.parts) take(inner);
    else if (type === 'text/html') html.push(textOf(part));
    else if (type.startsWith('text/')) plain.push(textOf(part));
  }

  function takeReturned(part: Part): void {
    const inner = part.parts[0];
    const headers = inner?.headers ?? readHeaders(textOf(part).replace(/^\n+/, '').split('\n\n')[0] ?? '');
    if (returned !== undefined && !(first(returned, 'message-id') === undefined && headers.has('message-id'))) return;
    returned = headers;
    returnedText = part.body;
  }

  take(mail);
  const said = plain.join('\n').trim() === '' ? html.join('\n') : plain.join('\n');
  return { headers: mail.headers, text: said, statuses, complaint, isReceipt, returned, returnedText };
}
