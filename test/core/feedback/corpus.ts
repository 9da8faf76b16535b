import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A mail of the corpus, and what it means. */
export interface CorpusMail {
  readonly name: string;
  readonly kind: string;
  /** `type kind reason recipient`, where `-` says nothing. */
  readonly expected: readonly string[];
  readonly raw: string;
}

/**
 * Mails in the formats that servers, carriers and providers document, written for these tests. Files hold several: `=== name`,
 * a line of what is expected, then the mail.
 */
export function corpus(): CorpusMail[] {
  const folder = join(import.meta.dirname, 'corpus');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.txt'))
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').split(/^=== /m).slice(1))
    .map((piece) => {
      const [name = '', expect = '', ...raw] = piece.split('\n');
      const [kind = '', ...rest] = expect.replace('expect: ', '').split(' ');
      const expected = rest
        .join(' ')
        .split('; ')
        .filter((one) => one !== '');
      return { name, kind, expected, raw: raw.join('\n') };
    });
}
