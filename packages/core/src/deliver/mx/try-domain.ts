import type { Clock } from '../../clock.ts';
import type { TranscriptStep } from '../../events.ts';
import type { Outcome, Verification, VerificationFailure } from '../port.ts';
import { oneLine } from '../smtp/failure.ts';
import { candidates } from './candidates.ts';
import { createDialer } from './dial.ts';
import { type PlanContext, planOf } from './plan.ts';
import { createReach, Unreached } from './reach.ts';

/** What a try works with. */
export interface TryContext extends Omit<PlanContext, 'lacks'> {
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Goes to the mail servers of a domain as a mail would, and leaves without one. Nothing is remembered of it, and nothing that
 * is remembered stands in its way.
 *
 * @param localAddress - to go from; undefined where the system chooses
 */
export async function tryDomain(
  domain: string,
  localAddress: string | undefined,
  { clock, ...given }: TryContext,
): Promise<Verification> {
  const settings = { ...given.settings, localAddresses: localAddress === undefined ? undefined : [localAddress] };
  const steps: TranscriptStep[] = [];
  const onStep = (step: string, reply: string, ms: number): void =>
    void steps.push({ step, reply: oneLine(reply), ms });
  const failed = (step: string, outcome: Outcome): Verification => {
    const { reply, reason } = { reply: '', reason: 'unknown' as const, ...outcome };
    const from = localAddress === undefined ? '' : `from ${localAddress}: `;
    const failure: VerificationFailure = { step, reply: oneLine(`${from}${reply}`), reason };
    return { ok: false, steps, failure };
  };

  const since = performance.now();
  const envelope = { from: '', to: `postmaster@${domain}`, utf8: false, eightBit: false };
  const plan = await planOf({ deliveryId: '', envelope }, { ...given, settings, lacks: () => false });
  const refused = 'type' in plan;
  const found = refused && 'reply' in plan ? plan.reply : refused ? '' : hostsOf(plan.hosts);
  onStep('MX', found, Math.round(performance.now() - since));
  if (refused) return failed('MX', plan);

  const allowSpecial = settings.allowPrivateAddresses ?? false;
  const search = candidates({ ...plan, allowSpecial, resolver: given.resolver });
  const withinMs = settings.connectionTimeoutMs + settings.greetingTimeoutMs;
  const dialer = createDialer(settings, clock);
  try {
    const { conversation } = await createReach(search, { plan, dialer, withinMs, clock, onStep })();
    conversation.close();
    return { ok: true, tls: conversation.secure, steps };
  } catch (error) {
    if (!(error instanceof Unreached)) throw error;
    return failed(steps.at(-1)?.step ?? 'MX', error.outcome);
  }
}

function hostsOf(hosts: readonly { readonly name: string; readonly preference: number }[]): string {
  return hosts.map(({ name, preference }) => `${preference} ${name}`).join(', ');
}
