import { createServer } from 'node:net';
import type { TranscriptStep } from '../../events.ts';
import type { VerifyOptions } from '../../verify-options.ts';
import type { Verification, VerificationFailure } from '../port.ts';
import { oneLine } from '../smtp/failure.ts';
import type { DirectMxSettings } from './port.ts';
import { type TryContext, tryDomain } from './try-domain.ts';

/**
 * What can be known of a direct way without a mail: this machine has the addresses that it is to send from, the DNS answers,
 * and the name in EHLO exists, which many servers ask for (RFC 5321 section 4.1.4). Whether it gets through to others only a
 * domain to try can tell.
 */
export async function verifyMx({ domain }: VerifyOptions = {}, context: TryContext): Promise<Verification> {
  const { settings, resolver } = context;
  const steps: TranscriptStep[] = [];
  const failures: VerificationFailure[] = [];
  const addresses = addressesOf(settings.localAddresses);
  const missing = new Set<string>();
  for (const address of addresses) {
    const { ms, value: trouble } = await timed(() => bindTo(address));
    const reply = trouble ?? `this machine has ${address}`;
    steps.push({ step: 'BIND', reply, ms });
    if (trouble === undefined) continue;
    missing.add(address);
    failures.push({ step: 'BIND', reply, reason: 'system' });
  }
  const { ms, value: answer } = await timed(() => resolver.addresses(settings.hostname));
  const found = answer.type === 'found' ? answer.records.join(', ') : `${settings.hostname} has no address`;
  const reply = oneLine(answer.type === 'trouble' ? answer.reply : found);
  steps.push({ step: 'DNS', reply, ms });
  if (answer.type !== 'found') failures.push({ step: 'DNS', reply, reason: 'dns' });
  if (domain === undefined) return { ok: failures.length === 0, steps, failure: failures[0] };
  const there = addresses.filter((address) => !missing.has(address));
  const tries: Verification[] = [];
  for (const from of addresses.length === 0 ? [undefined] : there) tries.push(await tryDomain(domain, from, context));
  steps.push(...tries.flatMap((one) => one.steps));
  failures.push(...tries.flatMap(({ failure }) => failure ?? []));
  const tls = tries.length > 0 && tries.every((one) => one.tls === true);
  return { ok: failures.length === 0, tls, steps, failure: failures[0] };
}

function addressesOf(given: DirectMxSettings['localAddresses']): readonly string[] {
  if (given === undefined) return [];
  const { transactional = [], broadcast = [] } = given as { transactional?: string[]; broadcast?: string[] };
  return [...new Set(Array.isArray(given) ? (given as string[]) : [...transactional, ...broadcast])];
}

/** Listens there for a moment: what cannot be listened on cannot be sent from either. Answers what is wrong. */
function bindTo(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ message }) => resolve(oneLine(message)));
    server.listen({ host: address, port: 0, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

async function timed<T>(task: () => Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  const since = Date.now();
  const value = await task();
  return { value, ms: Date.now() - since };
}
