import type { Clock } from '../../clock.ts';
import type { Outcome } from '../port.ts';
import type { Conversation } from '../smtp/conversation.ts';
import { failureOf, oneLine, outcomeOf, type SmtpFailure } from '../smtp/failure.ts';
import type { StepSink } from '../smtp/session-log.ts';
import type { Candidate } from './candidates.ts';
import type { Dialer } from './dial.ts';
import { ownFault } from './own-fault.ts';
import type { Plan } from './plan.ts';
import { later, unsendable } from './refusals.ts';

/** Whom a conversation is with. */
export interface Peer extends Candidate {
  readonly localAddress: string | undefined;
}

/** No address of a plan could be reached. */
export class Unreached extends Error {
  readonly outcome: Outcome;

  constructor(outcome: Outcome) {
    super('no mail server could be reached');
    this.outcome = outcome;
  }
}

/** What reaching a server works with. */
export interface ReachContext {
  readonly plan: Plan;
  readonly dialer: Dialer;
  /** No further address is tried after this time, ms. */
  readonly withinMs: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly onStep: StepSink;
}

/** Answers the next server of a search that can be spoken to; a search goes on where it stopped. */
export type Reach = () => Promise<{ readonly conversation: Conversation; readonly peer: Peer }>;

/** @throws Unreached, from the answered function */
export function createReach(search: AsyncGenerator<Candidate, Outcome>, context: ReachContext): Reach {
  const { plan, dialer, withinMs, clock, onStep } = context;
  const since = performance.now();
  const failures: SmtpFailure[] = [];
  /** When the first of the addresses that were left alone may be tried again. */
  let again = Number.POSITIVE_INFINITY;

  async function call(candidate: Candidate): Promise<{ conversation: Conversation; peer: Peer } | undefined> {
    const localAddress = plan.source.localFor(candidate.address);
    const began = performance.now();
    try {
      const conversation = await dialer.dial({ ...candidate, verify: plan.verify, localAddress }, onStep);
      return { conversation, peer: { ...candidate, localAddress } };
    } catch (error) {
      const failure = failureOf(error);
      failures.push(failure);
      const said = oneLine(`${candidate.host} [${candidate.address}]: ${failure.message}`);
      onStep(failure.step, said, Math.round(performance.now() - began));
      return undefined;
    }
  }

  return async () => {
    for (;;) {
      if (failures.length > 0 && performance.now() - since > withinMs) throw new Unreached(outcomeOfAll(failures));
      const { done, value } = await search.next();
      if (done) {
        if (failures.length > 0) throw new Unreached(outcomeOfAll(failures));
        if (again === Number.POSITIVE_INFINITY) throw new Unreached(value);
        const reply = `the mail servers of ${plan.domain} have not answered lately`;
        throw new Unreached(later('network', reply, Math.max(0, again - clock.now())));
      }
      const dead = dialer.deadUntil(value.address);
      if (dead !== undefined) again = Math.min(again, dead);
      else {
        const reached = await call(value);
        if (reached !== undefined) return reached;
      }
    }
  };
}

/** What a server said tells more than silence, and silence more than that this machine could not even ask. */
function outcomeOfAll(failures: readonly SmtpFailure[]): Outcome {
  const asked = failures.filter((failure) => ownFault(failure) === undefined);
  const telling = asked.find(({ error }) => error.response) ?? asked.at(-1);
  if (telling !== undefined) return outcomeOf(telling);
  const own = failures.find((failure) => ownFault(failure) === 'machine') ?? (failures.at(-1) as SmtpFailure);
  return unsendable(ownFault(own) ?? 'unreachable', oneLine(own.message));
}
