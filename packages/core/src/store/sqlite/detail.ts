/**
 * How the detail of an event is stored: JSON under short keys, and without what stands elsewhere already. A campaign has
 * one event per delivery at least, so these bytes are most of the file.
 */
import type { Transcript } from '../../events.ts';

/** Order matters to nobody, but a key is never used again for something else. */
const SHORT = {
  reply: 'r',
  status: 's',
  reason: 'c',
  attempt: 'n',
  kind: 'k',
  retryAt: 'a',
  agent: 'g',
  url: 'u',
  link: 'l',
  scope: 'o',
  suppress: 'p',
} as const;
const LONG = Object.fromEntries(Object.entries(SHORT).map(([long, short]) => [short, long]));

/** Route, host, tls, start before the event in ms, duration in ms, steps; 0 says "as expected". */
type Packed = readonly [
  route: string | 0,
  host: string | 0 | null,
  tls: 0 | 1 | null,
  before: number,
  ms: number,
  steps: readonly (readonly [step: string, reply: string | 0 | null, ms: number | null])[],
];

/** What is known of an event beside its detail. */
interface Known {
  readonly at: number;
  readonly route: string;
}

/** JSON for the row; null where there is nothing to say. */
export function packDetail(detail: Readonly<Record<string, unknown>>, known: Known): string | null {
  const packed: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(detail)) {
    if (value === undefined) continue;
    if (key === 'transcript') packed.t = packTranscript(value as Transcript, known, detail.reply);
    else packed[SHORT[key as keyof typeof SHORT] ?? key] = value;
  }
  const text = JSON.stringify(packed);
  return text === '{}' ? null : text;
}

/** The detail as it was. */
export function unpackDetail(packed: Readonly<Record<string, unknown>>, known: Known): Record<string, unknown> {
  const detail: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(packed)) {
    if (key === 't') detail.transcript = unpackTranscript(value as Packed, known, packed.r);
    else detail[LONG[key] ?? key] = value;
  }
  return detail;
}

function packTranscript({ route, host, tls, startedAt, ms, steps }: Transcript, known: Known, last: unknown): Packed {
  return [
    route === known.route ? 0 : route,
    host === known.route ? 0 : (host ?? null),
    tls === undefined ? null : tls ? 1 : 0,
    known.at - startedAt,
    ms,
    steps.map(({ step, reply, ms: took }) => [step, reply === last ? 0 : (reply ?? null), took ?? null] as const),
  ];
}

function unpackTranscript([route, host, tls, before, ms, steps]: Packed, known: Known, last: unknown): Transcript {
  return {
    route: route === 0 ? known.route : route,
    ...(host === null ? {} : { host: host === 0 ? known.route : host }),
    ...(tls === null ? {} : { tls: tls === 1 }),
    startedAt: known.at - before,
    ms,
    steps: steps.map(([step, reply, took]) => ({
      step,
      ...(reply === null ? {} : { reply: reply === 0 ? String(last) : reply }),
      ...(took === null ? {} : { ms: took }),
    })),
  };
}
