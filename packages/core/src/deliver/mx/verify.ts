import { createServer } from 'node:net';
import type { TranscriptStep } from '../../events.ts';
import type { DirectMxSettings, Verification, VerificationFailure } from '../port.ts';
import { oneLine } from '../smtp/failure.ts';
import type { Resolver } from './resolver.ts';

/**
 * What can be known of a direct way without a mail: this machine has the addresses that it is to send from, the DNS answers,
 * and the name in EHLO exists, which many servers ask for (RFC 5321 section 4.1.4).
 */
export async function verifyMx(settings: DirectMxSettings, resolver: Resolver): Promise<Verification> {
  const steps: TranscriptStep[] = [];
  const failures: VerificationFailure[] = [];
  for (const address of addressesOf(settings.localAddresses)) {
    const { ms, value: trouble } = await timed(() => bindTo(address));
    const reply = trouble ?? `this machine has ${address}`;
    steps.push({ step: 'BIND', reply, ms });
    if (trouble !== undefined) failures.push({ step: 'BIND', reply, reason: 'system' });
  }
  const { ms, value: answer } = await timed(() => resolver.addresses(settings.hostname));
  const found = answer.type === 'found' ? answer.records.join(', ') : `${settings.hostname} has no address`;
  const reply = oneLine(answer.type === 'trouble' ? answer.reply : found);
  steps.push({ step: 'DNS', reply, ms });
  if (answer.type !== 'found') failures.push({ step: 'DNS', reply, reason: 'dns' });
  return { ok: failures.length === 0, steps, failure: failures[0] };
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
