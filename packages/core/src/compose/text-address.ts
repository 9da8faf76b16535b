/** Opening and closing marks that may be part of an address, but only in pairs. */
const PAIRS = [
  ['(', ')'],
  ['[', ']'],
] as const;

/**
 * Finds the end of an address in a text: the mark that ends a sentence is not part of it, nor is the end of emphasis, nor a
 * bracket that was opened before it, nor a Handlebars block that ends there.
 *
 * @param found - from `http` up to a space.
 * @returns the address, and what stands behind it.
 */
export function splitAddress(found: string): readonly [address: string, rest: string] {
  const whole = found.slice(0, endOfBlocks(found));
  const count = (mark: string): number => whole.split(mark).length - 1;
  const surplus = new Map<string, number>(PAIRS.map(([open, close]) => [close, count(close) - count(open)]));
  let end = whole.length;
  for (; end > 0; end--) {
    const last = whole[end - 1] as string;
    const closing = PAIRS.find(([open]) => open === last)?.[1];
    const more = surplus.get(last) ?? 0;
    if (closing !== undefined) surplus.set(closing, (surplus.get(closing) ?? 0) + 1);
    else if (more > 0) surplus.set(last, more - 1);
    else if (!'.,!?;:*'.includes(last)) break;
  }
  return [found.slice(0, end), found.slice(end)];
}

/** Where the first block ends that was not opened inside, or begins that does not end inside. */
function endOfBlocks(text: string): number {
  const opened: number[] = [];
  for (const { 0: tag, index } of text.matchAll(/\{\{\{?~?\s*(?:[#^/]|else\b)/g)) {
    if (/[#^]$/.test(tag)) opened.push(index);
    else if (opened.length === 0) return index;
    else if (tag.endsWith('/')) opened.pop();
  }
  return opened[0] ?? text.length;
}
