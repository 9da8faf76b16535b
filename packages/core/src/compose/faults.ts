import { MailRelayError, messageOf } from '../errors.ts';
import { type Passage, type Place, placeOf } from './origins.ts';

/** Which of an author's passages a rendered part came from, nearest first. */
const SOURCES: Readonly<Record<string, readonly Passage['part'][]>> = {
  subject: ['subject'],
  html: ['html', 'preheader'],
  text: ['text', 'html'],
};

/** What rendering was about when it failed. */
interface Rendering {
  /** File or name of the template. */
  readonly path: string;
  readonly passages: readonly Passage[];
  readonly part: string;
  /** The compiled Handlebars. */
  readonly compiled: string;
}

/** What an error of Handlebars knows of its place in the compiled text. */
interface Located {
  readonly lineNumber?: number;
  readonly column?: number;
}

/** An error in reading what an author wrote. */
export function unreadable({ path, line }: Place, problem: string, cause?: unknown): MailRelayError {
  return new MailRelayError('TEMPLATE_INVALID', { path, line, reason: `${path}, line ${line}: ${problem}` }, { cause });
}

/** A failed rendering as the author sees it: which variable, file and line. */
export function renderFault(cause: unknown, rendering: Rendering): MailRelayError {
  const message = messageOf(cause);
  const missing =
    /^"([^"]+)" not defined in/.exec(message)?.[1] ??
    /^Cannot read properties of (?:undefined|null) \(reading '([^']+)'\)/.exec(message)?.[1];
  const [, asked, value] = /^Cannot use 'in' operator to search for '([^']+)' in ([\s\S]*)$/.exec(message) ?? [];
  const variable = missing ?? asked;
  const place = locate(rendering, variable, cause as Located);
  const where = place === undefined ? `${rendering.path} (${rendering.part})` : `${place.path} (line ${place.line})`;
  const details = { template: rendering.path, path: place?.path ?? rendering.path, line: place?.line };
  if (missing !== undefined) {
    const reason = `${missing}, in ${where}`;
    return new MailRelayError('TEMPLATE_VARIABLE_MISSING', { ...details, variable, reason }, { cause });
  }
  const problem = asked === undefined ? message : `${asked} is asked of ${short(value)}, which is no object`;
  return new MailRelayError(
    'TEMPLATE_RENDER_FAILED',
    { ...details, ...(variable === undefined ? {} : { variable }), reason: `${problem}, in ${where}` },
    { cause },
  );
}

function short(value = ''): string {
  return value.length > 40 ? `${value.slice(0, 40)}…` : value;
}

/** Looks for the expression that failed in what the author wrote, else for the variable. */
function locate(rendering: Rendering, variable: string | undefined, at: Located): Place | undefined {
  const { passages, part, compiled } = rendering;
  const sources = (SOURCES[part] ?? []).flatMap((name) => passages.filter((passage) => passage.part === name));
  const expression = expressionAt(compiled, at);
  const word = variable?.replace(/[^\w]/g, '\\$&');
  const forms = [
    ...(expression === undefined ? [] : [expression.replace(/[^\w]/g, '\\$&')]),
    ...(word === undefined ? [] : [`\\{\\{[^}]*(?<![\\w.])[\\w.@/]*\\b${word}\\b`]),
  ];
  for (const form of forms) {
    for (const passage of sources) {
      const found = [...passage.text.matchAll(new RegExp(form, 'g'))];
      if (found.length === 0) continue;
      const before = form === forms[0] ? occurrencesBefore(compiled, form, at, found.length) : 0;
      return placeOf(passage, (found[before] ?? found[0])?.index ?? 0);
    }
  }
  return undefined;
}

/** Which occurrence of an expression it is, where the compiled text has as many as the author wrote. */
function occurrencesBefore(compiled: string, form: string, at: Located, written: number): number {
  const all = [...compiled.matchAll(new RegExp(form, 'g'))];
  if (all.length !== written) return 0;
  return all.filter(({ index }) => index < startOf(compiled, at)).length;
}

/** Where the `{{` stands whose name an error is about. */
function startOf(compiled: string, at: Located): number {
  const start = compiled.lastIndexOf('{{', offsetOf(compiled, at));
  return compiled[start - 1] === '{' ? start - 1 : start;
}

function offsetOf(compiled: string, { lineNumber = 1, column = 0 }: Located): number {
  const lines = compiled.split('\n').slice(0, lineNumber - 1);
  return lines.reduce((sum, line) => sum + line.length + 1, column);
}

/** The `{{…}}` that an error stands at. */
function expressionAt(compiled: string, at: Located): string | undefined {
  if (at.lineNumber === undefined) return undefined;
  return /^\{\{[^}]*\}\}\}?/.exec(compiled.slice(startOf(compiled, at)))?.[0];
}
