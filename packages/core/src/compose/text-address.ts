/**
 * Finds the end of an address in a text: the mark that ends a sentence is not part of it, nor is the end of emphasis, nor a
 * parenthesis that was opened before it.
 *
 * @param found - from `http` up to a space.
 * @returns the address, and what stands behind it.
 */
export function splitAddress(found: string): readonly [address: string, rest: string] {
  let end = found.length;
  let surplus = found.split(')').length - found.split('(').length;
  for (; end > 0; end--) {
    const last = found[end - 1] as string;
    if (last === '(') surplus += 1;
    else if (last === ')' && surplus > 0) surplus -= 1;
    else if (!'.,!?;:*'.includes(last)) break;
  }
  return [found.slice(0, end), found.slice(end)];
}
