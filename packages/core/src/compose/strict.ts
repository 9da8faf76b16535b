/** Handlebars as the relay has it: a variable that is missing is an error, and so is a helper that does not exist. */
import Handlebars from 'handlebars';
import { MailRelayError, messageOf } from '../errors.ts';
import type { TemplateData } from '../message.ts';
import { renderFault, unreadable } from './faults.ts';
import { type Passage, placeOf, startOfLine } from './origins.ts';

/** Helpers that templates may use. */
const HELPERS: readonly string[] = ['if', 'unless', 'each', 'with', 'lookup', 'log'];
/** Looks for a value that need not be there. */
const MAYBE = 'mailRelayMaybe';

type Call = hbs.AST.MustacheStatement | hbs.AST.BlockStatement | hbs.AST.SubExpression;
/** The compiler of Handlebars reads `strict`; its types do not have it. */
type Path = hbs.AST.PathExpression & { strict?: boolean };

/** Visits everything that is a value or a call of a helper. */
class Calls extends Handlebars.Visitor {
  private readonly visit: (call: Call) => void;
  constructor(visit: (call: Call) => void) {
    super();
    this.visit = visit;
  }
  override MustacheStatement(mustache: hbs.AST.MustacheStatement): void {
    this.visit(mustache);
    super.MustacheStatement(mustache);
  }
  override BlockStatement(block: hbs.AST.BlockStatement): void {
    this.visit(block);
    super.BlockStatement(block);
  }
  override SubExpression(expression: hbs.AST.SubExpression): void {
    this.visit(expression);
    super.SubExpression(expression);
  }
}

/**
 * Reads what an author wrote.
 *
 * @throws MailRelayError `TEMPLATE_INVALID` with file and line, where it does not parse or names a helper that does not exist.
 */
export function checkPassage(passage: Passage, text: string = passage.text): void {
  let program: hbs.AST.Program;
  try {
    program = Handlebars.parse(text);
  } catch (cause) {
    throw parseFault(passage, text, cause);
  }
  new Calls((call) => {
    const { params, hash } = call;
    const name = (call.path as hbs.AST.PathExpression).original;
    const isCall = call.type === 'SubExpression' || params.length > 0 || (hash?.pairs.length ?? 0) > 0;
    if (!isCall || HELPERS.includes(String(name))) return;
    const place = placeOf(passage, startOfLine({ text }, call.loc.start.line));
    throw unreadable(place, `there is no helper ${name}; known are ${HELPERS.join(', ')}`);
  }).accept(program);
}

function parseFault(passage: Passage, text: string, cause: unknown): MailRelayError {
  const open = unclosed(text);
  const message = messageOf(cause);
  if (open !== undefined && /'EOF'/.test(message))
    return unreadable(placeOf(passage, open.at), `${open.tag} is not closed`, cause);
  const line = (cause as { lineNumber?: number }).lineNumber ?? Number(/line (\d+)/.exec(message)?.[1] ?? 1);
  const problem = message.replace(/^Parse error on line \d+:\n/, '').replace(/ - \d+:\d+$/, '');
  return unreadable(placeOf(passage, startOfLine({ text }, line)), problem, cause);
}

/** The last block that begins and does not end. */
function unclosed(text: string): { readonly tag: string; readonly at: number } | undefined {
  const open: { tag: string; at: number }[] = [];
  for (const { 0: tag, 1: kind, index } of text.matchAll(/\{\{~?([#^/])[^}]*\}\}/g)) {
    if (kind === '/') open.pop();
    else if (!/^\{\{~?\^~?\}\}$/.test(tag)) open.push({ tag, at: index });
  }
  return open.at(-1);
}

/** An engine with the helper that {@link strictProgram} relies on. */
export function strictEngine(): typeof Handlebars {
  const engine = Handlebars.create();
  engine.registerHelper(MAYBE, (start: unknown, ...names: unknown[]) =>
    names
      .slice(0, -1)
      .reduce(
        (value, name) =>
          typeof value === 'object' && value !== null && Object.hasOwn(value, String(name))
            ? (value as Record<string, unknown>)[String(name)]
            : undefined,
        start,
      ),
  );
  return engine;
}

/** Loops need their list; conditions may ask for what is not there. */
function strictProgram(program: hbs.AST.Program): hbs.AST.Program {
  new Calls((call) => {
    const name = (call.path as hbs.AST.PathExpression).original;
    const [first] = call.params as Path[];
    if (first?.type !== 'PathExpression') return;
    if ((name === 'each' || name === 'with') && first.parts.length > 0) first.strict = true;
    if ((name === 'if' || name === 'unless') && first.parts.length > 1) call.params[0] = maybe(first);
  }).accept(program);
  return program;
}

/** `a.b.c` as `(mailRelayMaybe a "b" "c")`. */
function maybe(path: Path): hbs.AST.SubExpression {
  const { loc } = path;
  const [head, ...rest] = path.parts as string[];
  const string = (value: string): hbs.AST.StringLiteral => ({ type: 'StringLiteral', value, original: value, loc });
  const start = { ...path, parts: [head], original: head } as Path;
  const helper = { type: 'PathExpression', data: false, depth: 0, parts: [MAYBE], original: MAYBE, loc } as Path;
  const hash: hbs.AST.Hash = { type: 'Hash', pairs: [], loc };
  return { type: 'SubExpression', path: helper, params: [start, ...rest.map(string)], hash, loc };
}

/** Renders one part of a template. */
export type Run = (data: TemplateData, frame: object | undefined) => string;

/** Compiles the parts of a template. */
export function compiler(
  engine: typeof Handlebars,
  locale: { readonly path: string; readonly passages?: readonly Passage[] },
): (source: string, part: string, plain: boolean) => Run {
  const { path, passages = [] } = locale;
  return (source, part, plain) => {
    let program: hbs.AST.Program;
    try {
      program = strictProgram(engine.parse(source));
    } catch (cause) {
      throw new MailRelayError(
        'TEMPLATE_INVALID',
        { path, reason: `${path} (${part}): ${messageOf(cause)}` },
        { cause },
      );
    }
    const template = engine.compile(program, { strict: true, noEscape: plain });
    const options = { allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false };
    return (data, frame) => {
      try {
        return template(data, { data: frame ?? {}, ...options });
      } catch (cause) {
        throw renderFault(cause, { path, passages, part, compiled: source });
      }
    };
  };
}
