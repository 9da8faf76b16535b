import { normalizeAddress } from '../address.ts';
import { messageOf } from '../errors.ts';
import { check, group, oneOf, refuse, rule } from '../rules.ts';
import { isScope } from '../scope.ts';
import type { Suppression } from '../store/port.ts';
import type { EngineApi } from '../thread/port.ts';
import { readCsv, type TextPieces, writeCsv } from './csv.ts';

/** How a list is read where it does not say. */
export interface ImportOptions {
  /** Scope of entries that name none. @default all */
  readonly scope?: string | undefined;
  /** Reason of entries that name none. @default manual */
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
   * Adds the entries of a CSV file: one of `export()`, or a list of addresses as SendGrid, Mailgun, Brevo and others export them.
   * The first line names the columns: `email` or `address` is needed; `reason`, `scope`, `evidence` (also `error`) and `until`
   * are read where they are there. An entry that exists stays.
   *
   * @throws MailRelayError `OPTIONS_INVALID` where no column has addresses
   * @example
   * await relay.suppressions.import(createReadStream('bounces.csv'), { reason: 'bounced' });
   */
  import(csv: TextPieces, options?: ImportOptions): Promise<ImportResult>;
  /** The whole list as CSV, in pieces; liftings are left out. */
  export(): AsyncGenerator<string>;
}

const REASONS = ['bounced', 'complained', 'unsubscribed', 'manual'] as const satisfies Suppression['reason'][];
const OPTIONS = group<ImportOptions>({
  scope: rule(isScope, 'must be all, transactional, broadcast or topic:<name>'),
  reason: oneOf(REASONS),
});
const COLUMNS = {
  address: /^(?:e-?mail|(?:e-?mail[ _]?|recipient[ _]?)?address|recipient|contact|blocked[ _]?email)$/i,
  scope: /^scope$/i,
  reason: /^(?:reason|type|suppression[ _]?reason|origin|category)$/i,
  evidence: /^(?:evidence|error|description|note|message|status|code)$/i,
  until: /^(?:until|expires?(?:[ _]?at)?)$/i,
} as const;
/** Entries that are written at once, which share a commit. */
const BATCH = 200;
const SHOWN = 100;

/** `import` and `export` of `relay.suppressions`. */
export function createSuppressionLists(engine: () => Promise<EngineApi>): SuppressionLists {
  return {
    async import(csv, options = {}) {
      check(OPTIONS, options, 'import()');
      const skipped: { line: number; reason: string }[] = [];
      let skippedCount = 0;
      let imported = 0;
      let columns: Columns | undefined;
      let batch: Entry[] = [];
      const api = await engine();
      const write = async (): Promise<void> => {
        await Promise.all(batch.map((entry) => api.addSuppression(entry)));
        imported += batch.length;
        batch = [];
      };
      for await (const { line, fields } of readCsv(csv)) {
        if (columns === undefined) {
          columns = columnsOf(fields ?? []);
          continue;
        }
        try {
          if (fields === undefined) throw new Error('it is too long');
          batch.push(entryOf(fields, columns, options));
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

type Entry = Omit<Suppression, 'since' | 'lifted'>;
type Columns = Readonly<Record<keyof typeof COLUMNS, number>>;

function columnsOf(names: readonly string[]): Columns {
  const at = (pattern: RegExp): number => names.findIndex((name) => pattern.test(name.trim()));
  const columns = {
    address: at(COLUMNS.address),
    scope: at(COLUMNS.scope),
    reason: at(COLUMNS.reason),
    evidence: at(COLUMNS.evidence),
    until: at(COLUMNS.until),
  };
  if (columns.address < 0)
    refuse('import()', 'needs a first line that names the columns, one of them email or address');
  return columns;
}

/** @throws MailRelayError `ADDRESS_INVALID`, Error where something else is wrong */
function entryOf(
  fields: readonly string[],
  columns: Columns,
  { scope = 'all', reason = 'manual' }: ImportOptions,
): Entry {
  const field = (column: number): string | undefined => (column < 0 ? undefined : fields[column] || undefined);
  const given = field(columns.scope) ?? scope;
  const known: boolean = isScope(given);
  if (!known) throw new Error(`${given.slice(0, 50)} is no scope`);
  const why = field(columns.reason);
  const named = why === undefined ? undefined : reasonOf(why);
  const until = field(columns.until);
  const end = until === undefined ? undefined : new Date(until);
  if (end !== undefined && Number.isNaN(end.getTime())) throw new Error(`${until?.slice(0, 50)} is no time`);
  const evidence = field(columns.evidence) ?? (named === undefined ? why : undefined);
  return {
    address: normalizeAddress((field(columns.address) ?? '').replace(/^'/, '')),
    scope: given,
    reason: named ?? reason,
    evidence: evidence?.slice(0, 1000),
    ...(end === undefined ? {} : { until: end }),
  };
}

/** What providers call the reasons; a longer text is what a server said. */
function reasonOf(text: string): Suppression['reason'] | undefined {
  if (text.length > 40) return undefined;
  if (/^(?:hard[ _-]?)?bounced?s?$|^invalid|^hardbounce/i.test(text)) return 'bounced';
  if (/^(?:spam[ _-]?)?(?:complain|complaint|complained|spam|spamcomplaint|spamreport)s?$|spam/i.test(text))
    return 'complained';
  if (/unsub|opt[ _-]?out/i.test(text)) return 'unsubscribed';
  return /^manual|^admin/i.test(text) ? 'manual' : undefined;
}
