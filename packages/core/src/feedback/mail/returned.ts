/** What the mail that came back says of itself: which one it is, and to whom it went. */
import { bounceTokensIn } from '../../verp.ts';
import type { Contents } from './contents.ts';
import { first, type Headers, readHeaders } from './mime.ts';
import { readAddress } from './status-fields.ts';

/** What a mail is found again by. */
export interface Returned {
  /** Without angle brackets. */
  readonly messageId: string | undefined;
  /** Signed tokens that may be ours, of bounce addresses. */
  readonly bounceTokens: readonly string[];
  /** Signed tokens that may be ours, of links. */
  readonly linkTokens: readonly string[];
  /** Our id, where a header for a provider has it. Nothing signs it. */
  readonly deliveryId: string | undefined;
  /** Addresses of its To field. */
  readonly to: readonly string[];
}

const ARRIVAL = ['to', 'delivered-to', 'x-original-to', 'envelope-to', 'x-envelope-to', 'x-rcpt-to', 'received'];
/** Characters of a text that are searched. */
const MAX_SEARCHED = 400_000;

/** Looks at the returned part, or at the end of the text, where servers put the header of the mail. */
export function readReturned(contents: Contents, whole: string): Returned {
  const headers = headerOf(contents);
  const arrival = ARRIVAL.flatMap((name) => contents.headers.get(name) ?? []).join('\n');
  const envelope = ['return-path', 'errors-to', 'x-envelope-from', 'sender'].flatMap(
    (name) => headers?.get(name) ?? [],
  );
  const searched = whole.slice(0, MAX_SEARCHED).replace(/=\n/g, '').replace(/=3D/g, '=');
  return {
    messageId: (headers && messageIdOf(headers)) ?? answeredId(contents.headers),
    bounceTokens: bounceTokensIn(`${arrival}\n${envelope.join('\n')}\n${searched.slice(0, 100_000)}`),
    linkTokens: linkTokensIn(searched),
    deliveryId: /mail_relay_delivery["'=: \s]{1,6}(dlv_[0-9a-z]{1,11})/.exec(searched.slice(0, 200_000))?.[1],
    to: headers === undefined ? [] : addressesOf(headers.get('to') ?? []),
  };
}

/** Header of the mail that came back, from its part or from the text. */
export function headerOf(contents: Contents): Headers | undefined {
  return contents.returned ?? quotedHeader(contents.text);
}

/** Addresses of a field of addresses. */
export function addressesOf(values: readonly string[]): string[] {
  return values
    .flatMap((value) => value.slice(0, 20_000).split(','))
    .slice(0, 100)
    .flatMap((one) => readAddress(one) ?? []);
}

function messageIdOf(headers: Headers): string | undefined {
  const value = first(headers, 'message-id') ?? first(headers, 'x-original-message-id') ?? '';
  return /<?([^\s<>]{1,500}@[^\s<>]{1,500})>?/.exec(value)?.[1];
}

/** The mail that an automatic answer answers. */
function answeredId(headers: Headers): string | undefined {
  const value = `${first(headers, 'in-reply-to') ?? ''} ${first(headers, 'references') ?? ''}`;
  return /<([^\s<>]{1,500}@[^\s<>]{1,500})>/.exec(value)?.[1];
}

/** Unsubscribe and view links of a mail: `/u/<token>`. */
function linkTokensIn(text: string): string[] {
  const joined = text.replace(/\n[ \t]+/g, '');
  return [
    ...new Set([...joined.matchAll(/\/u\/([A-Za-z0-9_-]{22,2000})/g)].slice(0, 20).map(([, token = '']) => token)),
  ];
}

/** The header of the mail within the text of a report: the last block that reads like one. */
function quotedHeader(text: string): Headers | undefined {
  const start = text.search(/^[> \t]*(?:message-id|received|return-path|mime-version)[ \t]*:/im);
  if (start < 0) return undefined;
  const from = Math.max(0, text.lastIndexOf('\n\n', start));
  const block = text
    .slice(from, from + 20_000)
    .replace(/^\n+/, '')
    .replace(/^[> \t]+(?=[\w-]+:)/gm, '');
  const headers = readHeaders(block.split(/\n\s*\n/)[0] ?? '');
  return headers.has('message-id') || headers.has('to') || headers.has('from') ? headers : undefined;
}
