/** An MTA-STS policy (RFC 8461 section 3.2). */
export interface Policy {
  readonly mode: 'enforce' | 'testing' | 'none';
  readonly maxAgeMs: number;
  /** Patterns of MX hosts, in lower case. */
  readonly mx: readonly string[];
}

/** Longest `max_age`: about a year, s. */
const MAX_AGE = 31_557_600;

/** Reads the `id` of the TXT records at `_mta-sts.<domain>`; undefined where there is not exactly one policy (section 3.1). */
export function policyId(records: readonly string[]): string | undefined {
  const own = records.filter((record) => /^v=STSv1\s*;/.test(record));
  if (own.length !== 1) return undefined;
  return /;\s*id=([A-Za-z0-9]{1,32})\s*(?:;|$)/.exec(own[0] as string)?.[1];
}

/** Reads a policy; undefined where it is none. Fields that nobody knows are left alone, the first of doubles counts. */
export function parsePolicy(text: string): Policy | undefined {
  const fields = text
    .split(/\r?\n/)
    .map((line) => /^\s*([A-Za-z0-9][\w.-]*)\s*:\s*(.*?)\s*$/.exec(line))
    .flatMap((match) => (match === null ? [] : [[match[1] as string, match[2] as string] as const]));
  const first = (name: string): string => fields.find(([field]) => field === name)?.[1] ?? '';
  const mode = first('mode');
  const maxAge = first('max_age');
  const mx = fields.filter(([field]) => field === 'mx').map(([, value]) => value.toLowerCase().replace(/\.$/, ''));
  if (first('version') !== 'STSv1' || !/^\d{1,10}$/.test(maxAge)) return undefined;
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none') return undefined;
  if (mode !== 'none' && mx.length === 0) return undefined;
  return { mode, mx, maxAgeMs: 1000 * Math.min(Number(maxAge), MAX_AGE) };
}

/** Whether a policy names a host; `*` stands for exactly one label at the left (section 4.1). */
export function allowsHost({ mx }: Policy, host: string): boolean {
  const parent = host.slice(host.indexOf('.') + 1);
  return mx.some((pattern) =>
    pattern.startsWith('*.') ? pattern.slice(2) === parent && parent !== host : pattern === host,
  );
}
