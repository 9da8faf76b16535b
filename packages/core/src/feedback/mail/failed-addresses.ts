/** Which of the addresses in the text of a bounce are those that did not get the mail. */
import { first, type Headers, shown } from './mime.ts';
import { addressesOf } from './returned.ts';
import { readAddress } from './status-fields.ts';

const ADDRESS = /[^\s<>()"'[\],;:|*=/\\`「」【】（）]{1,128}@[a-z0-9\u0080-\uffff][a-z0-9.\u0080-\uffff-]{0,250}/gi;
/** Addresses that stand near who did not get the mail, and are somebody else's. */
const OTHERS =
  /(?<![a-z])(?:from|sender|return-path|reply-to|contact|postmaster|help|support|message-id|in-reply-to|questions?|assistance|please (?:write|mail|e-?mail|forward|contact)|absender|expéditeur|remitente|mittente|de|von|sent by|(?:write|reply|questions?) to)[ \t:]*<?(?:mailto:)?$/i;
/** Words before who did not get the mail. */
const KEYWORD =
  /(?<![a-z])(?:recipients?(?:'s)?(?: address(?:es)?)?|rcpt to|(?:final|original)-recipient|to|address(?:es)?|failed|user|mailbox|deliver(?:y|ed)? to|intended for|undeliverable (?:to|address)|destinataires?|empfänger|an|destinatarios?|destinatari[oi]?|geadresseerden?|adressaat|получател\w*|宛先|あて先|収件者|收件人)[ \t]*[:：]?[ \t]*(?:rfc822;|smtp:|<|mailto:)?[ \t]*$/i;
/** The header of the mail as the report repeats it, and whom a mail went to before it was forwarded: only where nobody else is named. */
const REPEATED =
  /^[ \t>]*(?:to|cc|an|à|para|aan|a|til|till|do|кому|宛先)[ \t]*:|(?:originally|was) addressed to[ \t:]*<?$|original (?:recipient )?address[ \t:]*<?$|(?:generated|expanded) from:?[ \t]*<?$/i;

/** Whom the report is for, and who wrote it. */
export function ownAddresses(headers: Headers): Set<string> {
  const names = ['from', 'to', 'sender', 'reply-to', 'return-path', 'delivered-to', 'x-original-to', 'errors-to', 'cc'];
  return lowerCase(names.flatMap((name) => headers.get(name) ?? []));
}

/** Who is named: those whose place says that they are meant; else the first of those in a sentence, or in a repeated header. */
export function addressesIn(said: string, own: ReadonlySet<string>, returned: Headers | undefined): string[] {
  const senders = ['from', 'sender', 'return-path', 'reply-to'].flatMap((name) => returned?.get(name) ?? []);
  const not = new Set([...own, ...lowerCase(senders)]);
  const found = {
    sure: new Map<string, string>(),
    likely: new Map<string, string>(),
    repeated: new Map<string, string>(),
  };
  for (const match of [...said.matchAll(ADDRESS)].slice(0, 2000)) {
    const address = readAddress(match[0].replace(/^(?:mailto|smtp|rfc822;?|收件人|宛先|받는사람):?/i, ''));
    const key = address?.toLowerCase();
    if (address === undefined || key === undefined || not.has(key) || !isPossible(address)) continue;
    const end = match.index + match[0].length;
    const place = placeOf(said.slice(Math.max(0, match.index - 60), match.index), said.slice(end, end + 12));
    // Whom to ask about a list is nobody who should have got the mail.
    if (/-(?:owner|request)@/.test(key) && (place === 'likely' || match[0].endsWith('.'))) continue;
    if (place !== undefined && !found[place].has(key)) found[place].set(key, address);
  }
  if (found.sure.size > 0) return [...found.sure.values()];
  return [...found.likely.values(), ...found.repeated.values()].slice(0, 1);
}

function isPossible(address: string): boolean {
  return (
    /\.[a-z\u0080-\uffff][a-z0-9-\u0080-\uffff]*$/i.test(address) &&
    !/^(?:postmaster|mailer-daemon|abuse|support|help|helpdesk)@/i.test(address)
  );
}

function placeOf(before: string, after: string): 'sure' | 'likely' | 'repeated' | undefined {
  const line = before.slice(before.lastIndexOf('\n') + 1);
  if (REPEATED.test(line)) return 'repeated';
  if (OTHERS.test(line)) return undefined;
  const alone =
    /^[ \t>*•·-]*['"<(]?(?:mailto:|smtp:|rfc822;)?$/i.test(line) &&
    /^['">)]?[ \t]*(?:[:\n\r(.[<,;]|on \d|on \w{3}|$)/.test(after);
  const replied = /^[ \t]*\d{3} <?$/.test(line) && /^>?\.{3}/.test(after);
  return alone || replied || KEYWORD.test(line) || (line.trim() === '<' && after.startsWith('>')) ? 'sure' : 'likely';
}

/** Names that AOL writes without their domain. */
export function screenNamesIn(said: string, headers: Headers): string[] {
  if (!/@(?:[\w-]{1,60}\.){0,4}aol\.com/i.test(shown(headers, 'from') + (first(headers, 'message-id') ?? '')))
    return [];
  const names = [...said.matchAll(/^[ \t]+([a-z][a-z0-9_.]{2,31})[ \t]*$/gim)];
  return names.map(([, name]) => `${name}@aol.com`);
}

function lowerCase(values: readonly string[]): Set<string> {
  return new Set(addressesOf(values).map((address) => address.toLowerCase()));
}
