import type { SigningKey } from '../../dkim-key.ts';

/** Where lines end, characters. */
const LINE = 76;

/** What a signature says beside its value. */
export interface SignatureTags {
  readonly key: Pick<SigningKey, 'domain' | 'selector' | 'algorithm'>;
  /** Seconds since the epoch. */
  readonly signedAt: number;
  readonly expiresAt: number | undefined;
  readonly names: readonly string[];
  readonly bodyHash: string;
}

/** A `DKIM-Signature` field (RFC 6376 section 3.5) up to its value, which stands last and is still empty. */
export function unsignedField({ key, signedAt, expiresAt, names, bodyHash }: SignatureTags): string {
  const tags = [
    'DKIM-Signature: v=1;',
    ` a=${key.algorithm}-sha256;`,
    ' c=relaxed/relaxed;',
    ` d=${key.domain};`,
    ` s=${key.selector};`,
    ` t=${signedAt};`,
    ...(expiresAt === undefined ? [] : [` x=${expiresAt};`]),
    ...names.map((name, index) => `${index === 0 ? ' h=' : ''}${name}${index === names.length - 1 ? ';' : ':'}`),
    ` bh=${bodyHash};`,
    ' b=',
  ];
  return folded(tags);
}

/** The field with its value, which may be broken anywhere, and the line end. */
export function signedField(unsigned: string, signature: string): string {
  return `${unsigned}${(signature.match(/.{1,72}/g) ?? []).map((line) => `\r\n ${line}`).join('')}\r\n`;
}

/** Lines end between the pieces; a line that goes on begins with a space. */
function folded(pieces: readonly string[]): string {
  let text = '';
  let length = 0;
  for (const piece of pieces) {
    if (length + piece.length > LINE) {
      const next = piece.startsWith(' ') ? piece : ` ${piece}`;
      text += `\r\n${next}`;
      length = next.length;
    } else {
      text += piece;
      length += piece.length;
    }
  }
  return text;
}
