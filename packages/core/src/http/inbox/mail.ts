import type { Address, Email } from 'postal-mime';
import type { HttpContext } from '../context.ts';

/** Reads a captured mail; `undefined` where it is no longer kept. */
export async function readMail(context: HttpContext, id: string): Promise<Email | undefined> {
  const bytes = await context.engine.capturedSource(id);
  return bytes && parse(bytes);
}

/** Reads a mail, or its header section. */
export async function parse(bytes: Uint8Array): Promise<Email> {
  const { default: PostalMime } = await import('postal-mime');
  return PostalMime.parse(bytes, { rfc822Attachments: true });
}

/** Addresses as people write them. */
export function addresses(...list: readonly (Address | undefined)[]): string {
  const one = (address: Address): string => {
    if (address.group !== undefined) return `${address.name}: ${address.group.map(one).join(', ')};`;
    return address.name === '' ? address.address : `${address.name} <${address.address}>`;
  };
  return list.flatMap((address) => (address === undefined ? [] : [one(address)])).join(', ');
}

/** Every link of a mail once, in its order: from the HTML, else from the text. */
export function linksOf(mail: Email): readonly string[] {
  const found =
    mail.html === undefined
      ? (mail.text ?? '').matchAll(/(https?:\/\/[^\s<>"')\]]+)/g)
      : mail.html.matchAll(/<a\b[^>]*?\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')/gi);
  return [...new Set([...found].map((match) => decodeAmpersands(match[1] ?? match[2] ?? '')))].filter(
    (url) => url !== '',
  );
}

function decodeAmpersands(text: string): string {
  return text.replaceAll('&amp;', '&');
}
