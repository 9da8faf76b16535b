import type { CapturedMail } from '../../thread/port.ts';
import type { HttpContext } from '../context.ts';
import { readSummary, type Summary } from './summary.ts';

/** One copy of a message. */
export interface Copy extends CapturedMail, Summary {}

/** Everything that is kept; the route's `keep` bounds it. */
const ALL = 100_000;
const PER_PAGE = 100;
/** Mails that are read at once, so that a first look at many does not hold all of them. */
const AT_ONCE = 50;

/** Captured mail by message, newest first: `send()` makes a copy for each recipient. */
export async function readGroups(context: HttpContext, search: string): Promise<readonly (readonly Copy[])[]> {
  const copies: Copy[] = [];
  const captured = await context.engine.captured(ALL);
  for (let start = 0; start < captured.length; start += AT_ONCE) {
    const read = captured.slice(start, start + AT_ONCE).map(async (mail) => {
      const summary = await readSummary(context, mail.id);
      return summary === undefined ? [] : [{ ...mail, ...summary }];
    });
    copies.push(...(await Promise.all(read)).flat());
  }
  const found = copies.filter(({ subject, recipient }) => matches(`${subject}\n${recipient}`, search));
  return [...Map.groupBy(found, ({ id, messageId }) => messageId ?? id).values()];
}

function matches(text: string, search: string): boolean {
  return text.toLowerCase().includes(search.toLowerCase());
}

/** One page of groups, and where the pages beside it begin. */
export interface GroupPage {
  readonly groups: readonly (readonly Copy[])[];
  /** Query parameters of the pages with newer and with older mail. */
  readonly newer: { readonly after: string } | undefined;
  readonly older: { readonly before: string } | undefined;
}

/** The page that begins before a mail or ends after one, so that new mail does not move what is on it. */
export function pageOf(
  groups: readonly (readonly Copy[])[],
  { before, after }: { readonly before: string | null; readonly after: string | null },
): GroupPage {
  const placeOf = (id: string | null): number =>
    id === null ? -1 : groups.findIndex((copies) => copies.some((copy) => copy.id === id));
  const end = placeOf(after);
  const start = end < 0 ? placeOf(before) + 1 : Math.max(0, end - PER_PAGE);
  const shown = groups.slice(start, start + PER_PAGE);
  const [first, last] = [shown[0]?.[0]?.id, shown.at(-1)?.[0]?.id];
  return {
    groups: shown,
    newer: start > 0 && first !== undefined ? { after: first } : undefined,
    older: start + PER_PAGE < groups.length && last !== undefined ? { before: last } : undefined,
  };
}
