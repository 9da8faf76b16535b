/** A property of an interface, with what its TSDoc says. */
export interface DocumentedProperty {
  readonly name: string;
  readonly type: string;
  readonly text: string;
  readonly default: string | undefined;
  readonly env: string | undefined;
}

/** Reads the documented properties of one interface out of TypeScript source that is formatted as ours is. */
export function propertiesOf(source: string, name: string): DocumentedProperty[] {
  const body = new RegExp(`^(?:export )?interface ${name}\\b[^{]*\\{\\n(.*?)^\\}`, 'ms').exec(source)?.[1];
  if (body === undefined) throw new Error(`there is no interface ${name}`);
  const found: DocumentedProperty[] = [];
  const property = /^ {2}(?:\/\*\*(.*?)\*\/\n {2})?readonly (\w+)\??:(.*?);\n(?= {2}\S|$)/gms;
  for (const [, comment, key, type] of body.matchAll(property)) {
    found.push({
      name: key as string,
      type: (type as string).replace(/\s+/g, ' ').trim(),
      ...readComment(comment ?? ''),
    });
  }
  return found;
}

function readComment(comment: string): Pick<DocumentedProperty, 'text' | 'default' | 'env'> {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\*? ?/, '').trimEnd());
  const [text = '', ...tags] = lines.join('\n').split(/(?:^|\s)@(?=default|env)/);
  const tag = (name: string): string | undefined =>
    tags
      .find((one) => one.startsWith(name))
      ?.slice(name.length)
      .replace(/\s+/g, ' ')
      .trim();
  return { text: text.replace(/\s+/g, ' ').trim(), default: tag('default'), env: tag('env') };
}
