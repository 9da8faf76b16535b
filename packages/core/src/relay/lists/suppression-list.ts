import { messageOf } from '../../errors.ts';
import { check, group, oneOf, refuse, rule } from '../../rules.ts';
import { isScope } from '../../scope.ts';
import type { Suppression } from '../../store/port.ts';
import type { EngineApi } from '../../thread/port.ts';
import { hasAddresses } from './any-list.ts';
import { type TextPieces, writeCsv } from './csv.ts';
import { type Entry, entriesOf } from './entry.ts';
import { formatOf, LIST_FORMATS, type ListFormat } from './formats.ts';
import { rowsOf } from './rows.ts';

/** How a list is read where it does not say. */
export interface ImportOptions {
  /**
   * Which form the list has, where its columns do not tell. @default by the columns; `list`, any list of addresses, where they are
   * those of no provider
   */
  readonly format?: ListFormat | undefined;
  /** Scope of entries that name none. @default by the form: `broadcast` for complaints and unsubscribes, else `all` */
  readonly scope?: string | undefined;
  /** Reason of entries that name none. @default by the form: `manual` of `list` */
  readonly reason?: Suppression['reason'] | undefined;
}

/** What became of a list. */
export interface ImportResult {
  /** Entries that are on the list now. */
  readonly imported: number;
  /** Lines that could not be read, and why; the first 100. */
  readonly skipped: readonly { readonly line: number; readonly reason: string }[];
  readonly skippedCount: number;
}

/** Suppressions from and to other places. */
export interface SuppressionLists {
  /**
   * Adds the entries of a list, CSV or JSON, in pieces of any size: one of `export()`, those that SendGrid, Mailgun, Amazon SES,
   * Brevo, Postmark, Mailjet, SparkPost and Sarbacane export, or any whose first line names an `email` or `address`. Each keeps the
   * time at which it was added there. An entry that exists stays; one that was lifted after that time stays lifted. The same list
   * twice changes nothing.
   *
   * @throws MailRelayError `OPTIONS_INVALID` where no column has addresses
   * @example
   * await relay.suppressions.import(createReadStream('bounces.csv'), { format: 'sendgrid-bounces' });
   */
  import(list: TextPieces, options?: ImportOptions): Promise<ImportResult>;
  /** The whole list as CSV, in pieces; liftings are left out. */
  export(): AsyncGenerator<string>;
}

const REASONS = ['bounced', 'complained', 'unsubscribed', 'manual'] as const satisfies Suppression['reason'][];
const OPTIONS = group<ImportOptions>({
  format: oneOf(LIST_FORMATS),
  scope: rule(isScope, 'must be all, transactional, broadcast or topic:<name>'),
  reason: oneOf(REASONS),
});
/** Entries that are written at once, which share a commit. */
const BATCH = 200;
const SHOWN = 100;

/** `import` and `export` of `relay.suppressions`. */
export function createSuppressionLists(engine: () => Promise<EngineApi>, now: () => number): SuppressionLists {
  return {
    async import(list, options = {}) {
      check(OPTIONS, options, 'import()');
      const skipped: { line: number; reason: string }[] = [];
      let skippedCount = 0;
      let imported = 0;
      let batch: Entry[] = [];
      const api = await engine();
      const write = async (): Promise<void> => {
        await Promise.all(batch.map((entry) => api.addSuppression(entry)));
        imported += batch.length;
        batch = [];
      };
      const { columns, rows } = await rowsOf(list);
      if (columns !== undefined && !hasAddresses(columns))
        refuse('import()', 'needs a first line that names the columns, one of them email or address');
      for await (const { line, fields } of rows) {
        try {
          if (fields === undefined) throw new Error('it is broken, or too long');
          const format = formatOf(columns ?? [...fields.keys()], options.format);
          batch.push(...entriesOf(format.read(fields), { format, options, now: now() }));
        } catch (error) {
          skippedCount += 1;
          if (skipped.length < SHOWN) skipped.push({ line, reason: messageOf(error) });
        }
        if (batch.length >= BATCH) await write();
      }
      await write();
      return { imported, skipped, skippedCount };
    },
    async *export() {
      yield writeCsv(['address', 'scope', 'reason', 'evidence', 'since', 'until']);
      let after: string | undefined;
      do {
        const { items, next } = await (await engine()).listSuppressions({ limit: 500, after });
        for (const { address, scope, reason, evidence, since, until, lifted } of items)
          if (lifted === undefined)
            yield writeCsv([address, scope, reason, evidence, since.toISOString(), until?.toISOString()]);
        after = next;
      } while (after !== undefined);
    },
  };
}
