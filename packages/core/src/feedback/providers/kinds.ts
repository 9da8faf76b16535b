import type { ReadTools } from './provider.ts';

/** Letters of a kind that the log shows: whoever can send a webhook writes them. */
const SHOWN = 64;

/**
 * What a provider's kind of event means, by its name in a table. What is in no table and not among the `quiet` ones, which are no
 * feedback, is new at the provider: it changes nothing, and the log tells it.
 */
export function kindIn<T>(
  table: Readonly<Record<string, T>>,
  name: string,
  { quiet, tools }: { readonly quiet: RegExp; readonly tools: ReadTools },
): T | undefined {
  if (Object.hasOwn(table, name)) return table[name];
  if (name !== '' && !quiet.test(name)) tools.unknown?.(name.slice(0, SHOWN));
  return undefined;
}
