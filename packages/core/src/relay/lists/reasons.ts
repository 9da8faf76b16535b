import type { Suppression } from '../../store/port.ts';

type Reason = Suppression['reason'];

/** What lists call the reasons: first match wins. A longer text is what a server said, and no name of a reason. */
const NAMES: readonly { readonly reason: Reason; readonly match: RegExp }[] = [
  { reason: 'complained', match: /spam|complain|plainte|abuse/ },
  { reason: 'unsubscribed', match: /unsub|opt[ _-]?out|d[eé]sinscri|d[eé]sabon|list unsubscribe/ },
  { reason: 'bounced', match: /bounce|^invalid|^npai$/ },
  { reason: 'manual', match: /^manual|admin|customer|compliance|^added by/ },
];
const MAX_NAME = 40;

/** The reason that a name stands for. */
export function reasonIn(text: string | undefined): Reason | undefined {
  if (text === undefined || text.length > MAX_NAME) return undefined;
  const name = text.toLowerCase();
  return NAMES.find(({ match }) => match.test(name))?.reason;
}

/** Times that an entry may have: before these there were no lists, and none is of the time to come. */
const OLDEST = Date.UTC(1990, 0, 1);
const AHEAD_MS = 86_400_000;

/** When it was written: seconds or milliseconds since the epoch, ISO 8601, RFC 5322, or `25/11/2025` with the day first. Without a zone it is UTC. */
export function timeIn(text: string | undefined, now: number): Date | undefined {
  const time = text === undefined ? Number.NaN : timeOf(text.trim());
  return time >= OLDEST && time <= now + AHEAD_MS ? new Date(Math.min(time, now)) : undefined;
}

function timeOf(text: string): number {
  if (/^\d{9,13}(?:\.\d+)?$/.test(text)) return Number(text) < 1e11 ? Number(text) * 1000 : Number(text);
  const european = /^(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:[ T](\d{1,2}):(\d\d)(?::(\d\d))?)?$/.exec(text);
  if (european !== null) {
    const [day = 0, month = 0, year = 0, ...clock] = european.slice(1).map((part) => Number(part ?? 0));
    // With the month first it is a day that cannot be told from another.
    return month > 12 ? Number.NaN : Date.UTC(year, month - 1, day, ...clock);
  }
  const iso = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(?: UTC)?$/.exec(text);
  if (iso !== null) return Date.parse(`${iso[1]}T${iso[2]}Z`);
  return text.length > 64 ? Number.NaN : Date.parse(text);
}
