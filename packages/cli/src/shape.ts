/** What data a template needs, read from its Handlebars. */
import Handlebars from 'handlebars';

/** A value: with fields, a list, or a text or number; `optional` where the template only asks whether it is there. */
export interface Shape {
  optional: boolean;
  fields: Map<string, Shape>;
  /** Of each item, where a loop goes over it. */
  items: Shape | undefined;
  /** It is written into the mail. */
  shown: boolean;
}

/** Names that the relay fills in. */
const OWN: ReadonlySet<string> = new Set(['unsubscribeUrl', 'viewUrl', 'recipient']);

type Path = hbs.AST.PathExpression;

/** The data that texts need together. */
export function shapeOf(texts: readonly string[]): Shape {
  const root = emptyShape();
  for (const text of texts) new Reader(root).accept(Handlebars.parse(text));
  for (const name of OWN) root.fields.delete(name);
  return root;
}

function emptyShape(): Shape {
  return { optional: false, fields: new Map(), items: undefined, shown: false };
}

/** Walks through a template, with the values that names are looked up in; innermost last. */
class Reader extends Handlebars.Visitor {
  private readonly scopes: Shape[];
  /** What `as |item index|` names; innermost last. Undefined is for an index or a key. */
  private readonly named: ReadonlyMap<string, Shape | undefined>[] = [];

  constructor(root: Shape) {
    super();
    this.scopes = [root];
  }

  override MustacheStatement(mustache: hbs.AST.MustacheStatement): void {
    if (mustache.params.length > 0) this.values(mustache.params);
    else {
      const shape = this.find(mustache.path as Path);
      if (shape !== undefined) shape.shown = true;
    }
  }

  override SubExpression(expression: hbs.AST.SubExpression): void {
    this.values(expression.params);
  }

  override BlockStatement(block: hbs.AST.BlockStatement): void {
    const name = String((block.path as Path).original);
    const [first, ...rest] = block.params;
    const shape =
      first?.type === 'PathExpression' ? this.find(first as Path, name === 'if' || name === 'unless') : undefined;
    if (first !== undefined && shape === undefined) this.values([first]);
    this.values(rest);
    const scope =
      shape === undefined ? undefined : name === 'each' ? listOf(shape) : name === 'with' ? shape : undefined;
    const [value, ...keys] = block.program.blockParams ?? [];
    this.named.push(
      new Map([...keys.map((key) => [key, undefined] as const), ...(value ? [[value, scope] as const] : [])]),
    );
    if (scope !== undefined) this.scopes.push(scope);
    this.accept(block.program);
    this.named.pop();
    if (scope !== undefined) this.scopes.pop();
    if (block.inverse !== undefined && block.inverse !== null) this.accept(block.inverse);
  }

  private values(expressions: readonly hbs.AST.Expression[]): void {
    for (const expression of expressions) {
      if (expression.type === 'PathExpression') this.find(expression as Path);
      else this.accept(expression);
    }
  }

  /** The value that a path names; undefined for what the template itself has, such as `@index`. */
  private find({ data, depth, parts }: Path, optional = false): Shape | undefined {
    if (data) return undefined;
    const names = parts as string[];
    const known = depth > 0 ? undefined : this.named.findLast((one) => one.has(names[0] ?? ''));
    if (known !== undefined) return this.within(known.get(names[0] ?? ''), names.slice(1), optional);
    return this.within(this.scopes.at(-1 - depth), names, optional);
  }

  private within(start: Shape | undefined, parts: readonly string[], optional: boolean): Shape | undefined {
    let shape = start;
    for (const [index, part] of parts.entries()) {
      if (shape === undefined) return undefined;
      const known: Shape = shape.fields.get(part) ?? emptyShape();
      if (optional && index === parts.length - 1) known.optional = true;
      shape.fields.set(part, known);
      shape = known;
    }
    return shape;
  }
}

function listOf(shape: Shape): Shape {
  shape.items ??= emptyShape();
  return shape.items;
}

/** The shape as a TypeScript type. */
export function typeOf(shape: Shape): string {
  if (shape.items !== undefined) return `readonly ${grouped(typeOf(shape.items))}[]`;
  if (shape.fields.size > 0) {
    const fields = [...shape.fields].map(([name, { optional, ...field }]) => {
      const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
      // What is shown says so by itself.
      const none = optional && (field.items !== undefined || field.fields.size > 0) ? ' | null | undefined' : '';
      return `readonly ${key}${optional ? '?' : ''}: ${typeOf({ ...field, optional })}${none}`;
    });
    return `{ ${fields.join('; ')} }`;
  }
  if (shape.shown) return shape.optional ? 'string | number | boolean | null | undefined' : 'string | number | boolean';
  return 'unknown';
}

function grouped(type: string): string {
  return !type.startsWith('{') && /\||^readonly /.test(type) ? `(${type})` : type;
}

/** Data that fits, for who has none: each value is its own name. */
export function sampleOf(shape: Shape, name = 'value'): unknown {
  if (shape.items !== undefined) return [sampleOf(shape.items, name)];
  if (shape.fields.size > 0)
    return Object.fromEntries([...shape.fields].map(([key, field]) => [key, sampleOf(field, key)]));
  return /url|link|href/i.test(name) ? `https://example.com/${name}` : name;
}
