/**
 * How the detail of an event is stored: JSON under short keys, and without what stands elsewhere already. A campaign has
 * one event per delivery at least, so these bytes are most of the file.
 */
import type { Transcript, TranscriptStep } from '../../events.ts';
import type { Phrases } from './phrases.ts';

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
  movedTo: 'm',
  providerId: 'i',
} as const;
const LONG = Object.fromEntries(Object.entries(SHORT).map(([long, short]) => [short, long]));

/** Route, host, tls, start before the event in ms, duration in ms, steps, what only direct MX says; 0 says "as expected". */
type Packed = readonly [
  route: string | 0,
  host: string | 0 | null,
  tls: 0 | 1 | null,
  before: number,
  ms: number,
  steps: readonly PackedStep[],
  direct?: PackedDirect,
];

/** TLS version, address, local address, hosts considered. */
type PackedDirect = readonly [string | null, string | null, string | null, readonly string[] | null];

/** Letter of the step, ms, and the reply, where `=` is that of the event; steps without a letter in full. */
type PackedStep = string | readonly [step: string, reply: string | null, ms: number | null];

const LETTERS: Readonly<Record<string, string>> = {
  CONN: 'C',
  EHLO: 'E',
  HELO: 'H',
  STARTTLS: 'T',
  AUTH: 'A',
  MAIL: 'M',
  RCPT: 'R',
  DATA: 'D',
  MESSAGE: '.',
};
const STEPS = Object.fromEntries(Object.entries(LETTERS).map(([step, letter]) => [letter, step]));

/** What is known of an event beside its detail. */
interface Known {
  readonly at: number;
  readonly route: string;
  readonly phrases: Phrases;
}

/**
 * JSON for the row; null where there is nothing to say. Inside of `write`.
 *
 * @param known.sharesUrl - the URL is that of other events, too
 */
export function packDetail(
  detail: Readonly<Record<string, unknown>>,
  known: Known & { readonly sharesUrl: boolean },
): string | null {
  const packed: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(detail)) {
    if (value === undefined) continue;
    if (key === 'transcript') packed.t = packTranscript(value as Transcript, known, detail.reply);
    // Of what a reader does, the name of the program alone would be three quarters.
    else if (key === 'agent') packed.g = known.phrases.idOf(JSON.stringify(value));
    else if (key === 'url' && known.sharesUrl) packed.u = known.phrases.idOf(String(value));
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
    else if (key === 'g' && typeof value === 'number') detail.agent = JSON.parse(known.phrases.textOf(value));
    else if (key === 'u' && typeof value === 'number') detail.url = known.phrases.textOf(value);
    else detail[LONG[key] ?? key] = value;
  }
  return detail;
}

function packTranscript(transcript: Transcript, known: Known, last: unknown): Packed {
  const { route, host, tls, startedAt, ms, steps } = transcript;
  const direct = packDirect(transcript);
  const packed = [
    route === known.route ? 0 : route,
    host === known.route ? 0 : (host ?? null),
    tls === undefined ? null : tls ? 1 : 0,
    known.at - startedAt,
    ms,
    steps.map((step) => packStep(step, last)),
  ] as const;
  return direct === undefined ? packed : [...packed, direct];
}

function packDirect({ tlsVersion, address, localAddress, considered }: Transcript): PackedDirect | undefined {
  if ((tlsVersion ?? address ?? localAddress ?? considered) === undefined) return undefined;
  return [tlsVersion ?? null, address ?? null, localAddress ?? null, considered ?? null];
}

function unpackDirect([tlsVersion, address, localAddress, considered]: PackedDirect): Partial<Transcript> {
  return {
    ...(tlsVersion === null ? {} : { tlsVersion }),
    ...(address === null ? {} : { address }),
    ...(localAddress === null ? {} : { localAddress }),
    ...(considered === null ? {} : { considered }),
  };
}

function unpackTranscript(packed: Packed, known: Known, last: unknown): Transcript {
  const [route, host, tls, before, ms, steps, direct] = packed;
  return {
    route: route === 0 ? known.route : route,
    ...(host === null ? {} : { host: host === 0 ? known.route : host }),
    ...(tls === null ? {} : { tls: tls === 1 }),
    ...(direct === undefined ? {} : unpackDirect(direct)),
    startedAt: known.at - before,
    ms,
    steps: steps.map((step) => unpackStep(step, last)),
  };
}

function packStep({ step, reply, ms }: TranscriptStep, last: unknown): PackedStep {
  const letter = LETTERS[step];
  if (letter === undefined || reply === undefined || ms === undefined) return [step, reply ?? null, ms ?? null];
  return `${letter}${ms} ${reply === last ? '=' : reply}`;
}

function unpackStep(packed: PackedStep, last: unknown): TranscriptStep {
  if (typeof packed !== 'string') {
    const [step, reply, ms] = packed;
    return { step, ...(reply === null ? {} : { reply }), ...(ms === null ? {} : { ms }) };
  }
  const space = packed.indexOf(' ');
  const reply = packed.slice(space + 1);
  return {
    step: STEPS[packed[0] as string] ?? '',
    reply: reply === '=' ? String(last) : reply,
    ms: Number(packed.slice(1, space)),
  };
}
