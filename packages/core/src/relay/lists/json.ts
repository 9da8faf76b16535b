/** Objects out of JSON of any size, in bounded memory: those of the list in it, of a list in an object, or one a line. */

/** Longest object that is read, characters. */
const MAX_OBJECT = 65_536;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const LIST = 0x5b;
const LIST_END = 0x5d;
const QUOTE = 0x22;
const ESCAPE = 0x5c;
const LINE_END = 0x0a;

/** One object of a list, and the line that it begins on; without a value it could not be read. */
export interface JsonRecord {
  readonly line: number;
  readonly value: Readonly<Record<string, unknown>> | undefined;
}

interface Capture {
  readonly line: number;
  /** How deep the object stands. */
  readonly depth: number;
  text: string;
}

/** Reads the objects of a JSON text that comes in pieces. A text that ends too soon ends with a record without a value. */
export async function* readJson(pieces: AsyncIterable<string> | Iterable<string>): AsyncGenerator<JsonRecord> {
  const reader = createReader();
  for await (const piece of pieces) yield* reader.read(piece);
  yield* reader.end();
}

function createReader() {
  /** `{` and `[` that are open. */
  let open: number[] = [];
  let line = 1;
  let quoted = false;
  let escaped = false;
  /** The object at the top, which is a record itself where it has no list of them. */
  let top: Capture | undefined;
  let item: Capture | undefined;

  /** An object of the list at the top, or of a list in the object at the top. */
  function beginsItem(): boolean {
    const [first, second] = open;
    return (open.length === 1 && first === LIST) || (open.length === 2 && first === OPEN && second === LIST);
  }

  function structure(code: number): JsonRecord | undefined {
    if (code === OPEN || code === LIST) {
      if (code === OPEN && beginsItem()) {
        item = { line, depth: open.length, text: '' };
        top = undefined;
      } else if (code === OPEN && open.length === 0) top = { line, depth: 0, text: '' };
      open.push(code);
      return undefined;
    }
    open.pop();
    const done = item?.depth === open.length ? item : top?.depth === open.length ? top : undefined;
    if (code !== CLOSE || done === undefined) return undefined;
    if (done === item) item = undefined;
    top = undefined;
    return recordOf(done.line, `${done.text}}`);
  }

  return {
    *read(piece: string): Generator<JsonRecord> {
      let from = 0;
      const keep = (to: number): void => {
        const capture = item ?? top;
        if (capture !== undefined && capture.text.length <= MAX_OBJECT) capture.text += piece.slice(from, to);
        from = to;
      };
      for (let at = 0; at < piece.length; at++) {
        const code = piece.charCodeAt(at);
        if (code === LINE_END) line += 1;
        if (quoted) {
          if (escaped) escaped = false;
          else if (code === ESCAPE) escaped = true;
          else if (code === QUOTE) quoted = false;
        } else if (code === QUOTE) quoted = true;
        else if (code === OPEN || code === LIST || code === CLOSE || code === LIST_END) {
          keep(at);
          const record = structure(code);
          // What closes a record has been taken.
          if (record !== undefined) from = at + 1;
          if (record !== undefined) yield record;
        }
      }
      keep(piece.length);
    },
    *end(): Generator<JsonRecord> {
      if (open.length > 0 || quoted) yield { line: (item ?? top)?.line ?? line, value: undefined };
      open = [];
    },
  };
}

function recordOf(line: number, text: string): JsonRecord {
  if (text.length > MAX_OBJECT) return { line, value: undefined };
  try {
    return { line, value: JSON.parse(text) as Record<string, unknown> };
  } catch {
    return { line, value: undefined };
  }
}
