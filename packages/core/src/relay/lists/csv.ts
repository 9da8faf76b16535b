/** CSV (RFC 4180), line by line, in bounded memory. */

/** Text in pieces. */
export type TextPieces = string | AsyncIterable<string | Uint8Array>;

/** Longest record, characters. */
const MAX_RECORD = 65_536;

/** One record, and the line that it begins on. `undefined` fields: it is too long to be one. */
export interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[] | undefined;
}

/** Reads records. The first one decides between `,`, `;` and tab. */
export async function* readCsv(input: TextPieces): AsyncGenerator<CsvRecord> {
  let separator: string | undefined;
  let record = '';
  let line = 0;
  let start = 1;
  let quoted = false;
  const finish = (): CsvRecord[] => {
    const text = record.replace(/\r$/, '').replace(/^\ufeff/, '');
    record = '';
    quoted = false;
    if (text.trim() === '') return [];
    separator ??= [',', ';', '\t'].find((one) => text.includes(one)) ?? ',';
    return [{ line: start, fields: text.length > MAX_RECORD ? undefined : fieldsOf(text, separator) }];
  };
  for await (const piece of linesOf(input)) {
    line += 1;
    if (record === '') start = line;
    // What is too long stays too long, and is not kept.
    if (record.length <= MAX_RECORD) record += record === '' ? piece : `\n${piece}`;
    for (const character of piece.length <= MAX_RECORD ? piece : '') if (character === '"') quoted = !quoted;
    if (!quoted || record.length > MAX_RECORD) yield* finish();
  }
  if (record !== '') yield* finish();
}

async function* linesOf(input: TextPieces): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of typeof input === 'string' ? [input] : input) {
    const text = typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true });
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > 2 * MAX_RECORD) rest = rest.slice(0, MAX_RECORD + 1);
    yield* lines;
  }
  if (rest !== '') yield rest;
}

function fieldsOf(text: string, separator: string): string[] {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (quoted && character === '"' && text[at + 1] === '"') {
      field += '"';
      at += 1;
    } else if (character === '"') quoted = !quoted;
    else if (character === separator && !quoted) {
      fields.push(field);
      field = '';
    } else field += character;
  }
  return [...fields, field].map((one) => one.trim());
}

/** One record with its line end. What a spreadsheet would run as a formula begins with an apostrophe. */
export function writeCsv(fields: readonly (string | undefined)[]): string {
  const cells = fields.map((field = '') => {
    const safe = /^[=+\-@\t\r]/.test(field) && !/^[+-]?\d/.test(field) ? `'${field}` : field;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  });
  return `${cells.join(',')}\r\n`;
}
