import { readCsv, type TextPieces } from './csv.ts';
import { readJson } from './json.ts';

/** One entry of a list as it was written, and the line that it begins on; without fields it could not be read. */
export interface Row {
  readonly line: number;
  readonly fields: Fields | undefined;
}

/** Fields by the plain form of their names: small letters, without blanks, `_` and `-`. */
export type Fields = ReadonlyMap<string, unknown>;

/** A list: rows, and the columns that a CSV names. */
export interface Rows {
  readonly columns: readonly string[] | undefined;
  readonly rows: AsyncIterable<Row>;
}

/** `Email Address`, `email_address` and `EmailAddress` are one name. */
function plain(name: string): string {
  return name
    .replace(/^\ufeff/, '')
    .trim()
    .toLowerCase()
    .replace(/[\s_-]/g, '');
}

/** Reads a list, JSON or CSV: by its first character. */
export async function rowsOf(input: TextPieces): Promise<Rows> {
  const pieces = textsOf(input);
  let start = '';
  for (;;) {
    const { value, done } = await pieces.next();
    start += value ?? '';
    if (done === true || /[^\s\ufeff]/.test(start)) break;
  }
  const whole = withStart(start, pieces);
  if (/^[\s\ufeff]*[[{]/.test(start)) return { columns: undefined, rows: jsonRows(whole) };
  const records = readCsv(whole);
  const first = await records.next();
  const columns = (first.value?.fields ?? []).map(plain);
  return { columns, rows: csvRows(records, columns) };
}

async function* jsonRows(pieces: AsyncIterable<string>): AsyncGenerator<Row> {
  for await (const { line, value } of readJson(pieces))
    yield { line, fields: value && new Map(Object.entries(value).map(([name, field]) => [plain(name), field])) };
}

async function* csvRows(records: ReturnType<typeof readCsv>, columns: readonly string[]): AsyncGenerator<Row> {
  for await (const { line, fields } of records)
    yield { line, fields: fields && new Map(columns.map((name, index) => [name, fields[index]])) };
}

async function* withStart(start: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield start;
  yield* rest;
}

async function* textsOf(input: TextPieces): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const piece of typeof input === 'string' ? [input] : input)
    yield typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true });
  yield decoder.decode();
}
