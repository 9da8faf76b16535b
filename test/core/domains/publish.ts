/** Publishes what findings name, as an operator would, and looks again. */
import type { DomainFinding } from '../../../packages/core/src/index.ts';
import { findingsOf, GOOD, type Setting } from './setting.ts';

/** More rounds than any domain needs. */
const MOST_ROUNDS = 8;

/** What a finding asks to publish, in one line each; the text of a policy file line by line. */
export function asked({ publish, policy }: DomainFinding): string[] {
  return [
    ...(policy === undefined ? [] : [policy.url, ...policy.text.trimEnd().split('\n')]),
    ...(publish === undefined ? [] : [`${publish.type} ${publish.name} ${publish.value}`]),
  ];
}

const isOpen = ({ publish, policy }: DomainFinding): boolean => publish !== undefined || policy !== undefined;

/** Looks at a domain and publishes what is said, until nothing is left to publish. Answers what each round found wrong. */
export async function publishAll(setting: Setting): Promise<readonly (readonly DomainFinding[])[]> {
  const rounds: DomainFinding[][] = [];
  let now: Setting = { ...setting, records: { ...GOOD, ...setting.records } };
  while (rounds.length < MOST_ROUNDS) {
    const { findings } = await findingsOf(now);
    rounds.push(findings.filter(({ status }) => status !== 'ok'));
    if (!findings.some(isOpen)) break;
    for (const finding of findings.filter(isOpen)) now = published(now, finding);
  }
  return rounds;
}

function published(setting: Setting, { name: about, publish, policy }: DomainFinding): Setting {
  const records = { ...setting.records };
  if (publish !== undefined) {
    const { type, name, value } = publish;
    const key = type === 'PTR' ? `PTR ${about}` : `${type} ${name}`;
    const [version = ''] = value.split(/[ ;]/);
    // Of texts the one of the same kind is replaced; a host may have several addresses.
    const beside = type === 'TXT' ? (records[key] ?? []).filter((one) => !one.startsWith(version)) : [];
    const others = type === 'A' || type === 'AAAA' ? (records[key] ?? []) : beside;
    records[key] = [...others, value];
  }
  const { fetch: _, ...rest } = setting;
  return policy === undefined ? { ...setting, records } : { ...rest, records, policy: policy.text };
}
