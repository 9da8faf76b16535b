import type { Answer, Incoming } from './port.ts';

/** Names of the parameters in a path such as `/c/:link.:clicker`. */
export type PathParams<Path extends string> = Path extends `${infer Head}/${infer Tail}`
  ? PathParams<Head> & PathParams<Tail>
  : Path extends `${infer Head}.${infer Tail}`
    ? PathParams<Head> & PathParams<Tail>
    : Path extends `:${infer Name}`
      ? { readonly [K in Name]: string }
      : unknown;

/** One line of the route table. */
export interface Route<Context> {
  readonly method: 'GET' | 'POST';
  /** First segment of the path, to find the line quickly. */
  readonly segment: string;
  readonly pattern: RegExp;
  answer(context: Context, incoming: Incoming, params: Readonly<Record<string, string>>): Promise<Answer>;
}

/** Makes a line of the route table. Parameters match token characters: letters, digits, `_` and `-`. `GET` serves HEAD too. */
export function route<Context, const Path extends string>(
  method: 'GET' | 'POST',
  path: Path,
  answer: (context: Context, incoming: Incoming, params: PathParams<Path>) => Promise<Answer> | Answer,
): Route<Context> {
  const source = path.replace(/[.]/g, '\\.').replace(/:(\w+)/g, '(?<$1>[A-Za-z0-9_-]+)');
  return {
    method,
    segment: path.split('/')[1] ?? '',
    pattern: new RegExp(`^${source}$`),
    answer: async (context, incoming, params) => answer(context, incoming, params as PathParams<Path>),
  };
}

/** What a path leads to. */
export interface Found<Context> {
  readonly routes: readonly Route<Context>[];
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the lines of the table for a path without the prefix: one per method, usually. */
export function routeFinder<Context>(table: readonly Route<Context>[]): (path: string) => Found<Context> | undefined {
  const bySegment = Map.groupBy(table, (line) => line.segment);
  return (path) => {
    const end = path.indexOf('/', 1);
    const candidates = bySegment.get(end < 0 ? path.slice(1) : path.slice(1, end));
    if (candidates === undefined) return undefined;
    for (const candidate of candidates) {
      const match = candidate.pattern.exec(path);
      if (match === null) continue;
      const { source } = candidate.pattern;
      return { routes: candidates.filter((other) => other.pattern.source === source), params: match.groups ?? {} };
    }
    return undefined;
  };
}
