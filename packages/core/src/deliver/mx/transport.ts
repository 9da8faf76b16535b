import { type Clock, systemClock } from '../../clock.ts';
import type { TranscriptStep } from '../../events.ts';
import type { Attempt, Outcome, OutgoingMail, ReceiverBounds, Transport } from '../port.ts';
import { type Conversation, isUnfit } from '../smtp/conversation.ts';
import { failureOf, isStale, oneLine, outcomeOf, type SmtpFailure } from '../smtp/failure.ts';
import { cachedResolver } from './cached-resolver.ts';
import { candidates } from './candidates.ts';
import { createDialer } from './dial.ts';
import { type Plan, planOf } from './plan.ts';
import type { DirectMxSettings } from './port.ts';
import { createReach, type Peer, type Reach, Unreached } from './reach.ts';
import { later } from './refusals.ts';
import { createResolver, type Resolver } from './resolver.ts';
import { filled } from './settings.ts';
import type { Entered, Site } from './site.ts';
import { createSites } from './sites.ts';
import { type FetchPolicy, policyFetcher } from './sts/fetch-policy.ts';
import { createPolicies } from './sts/policies.ts';
import { createTurns } from './turns.ts';
import { verifyMx } from './verify.ts';

/** What direct MX works with; all of it has a default. */
export interface MxContext {
  readonly clock?: Pick<Clock, 'now'>;
  /** One that keeps its answers. */
  readonly resolver?: Resolver | undefined;
  readonly fetchPolicy?: FetchPolicy;
  /** Shuffles hosts of equal preference: from 0 to below 1. */
  random?(): number;
}

/** Sends straight to the mail servers of recipients' domains. */
export function createMxTransport(route: string, given: DirectMxSettings, context: MxContext = {}): Transport {
  const settings = filled(given);
  const { clock = systemClock, random = Math.random } = context;
  const resolver = context.resolver ?? cachedResolver(createResolver(settings.dns), clock);
  const fetch = context.fetchPolicy ?? policyFetcher(settings, resolver);
  const policyOf = settings.mtaSts === false ? undefined : createPolicies({ resolver, fetch, clock });
  const dialer = createDialer(settings, clock);
  const sites = createSites(settings, settings.connections);
  /** Connecting has places of its own, so that hosts that do not answer keep nobody from sending. */
  const connecting = createTurns(settings.connections);
  const sending = createTurns(settings.connections);
  const peers = new WeakMap<Conversation, Peer>();
  const allowSpecial = settings.allowPrivateAddresses ?? false;
  const withinMs = settings.connectionTimeoutMs + settings.greetingTimeoutMs;

  /**
   * Answers undefined where the mail must not be sent any more.
   *
   * @param handOn - gives the conversation to the next mail that waits; answers whether there was one
   */
  async function transact(
    mail: OutgoingMail,
    conversation: Conversation,
    note: Note,
    handOn: () => boolean,
  ): Promise<string | undefined> {
    await sending.take(streamOf(mail));
    let given = false;
    try {
      if (!note.begins()) return undefined;
      return await conversation.send(mail, note.onStep, () => {
        given = handOn();
        if (given) sending.give(streamOf(mail));
      });
    } finally {
      if (!given) sending.give(streamOf(mail));
    }
  }

  function open(mail: OutgoingMail, site: Site, reach: Reach): Promise<Conversation> {
    return site.open(async (onBegin) => {
      await connecting.take(streamOf(mail));
      onBegin();
      try {
        const { conversation, peer } = await reach();
        peers.set(conversation, peer);
        return conversation;
      } finally {
        connecting.give(streamOf(mail));
      }
    });
  }

  async function attempt(mail: OutgoingMail, plan: Plan, site: Site, kept: Conversation | undefined): Promise<Attempt> {
    const note = createNote(route, clock, mail, plan);
    const search = candidates({ ...plan, allowSpecial, resolver });
    const reach = createReach(search, { plan, dialer, withinMs, clock, onStep: note.onStep });
    let conversation = kept;
    /** The place in the site is another mail's, before this one has its reply. */
    let handedOn = false;
    let mayHandOn = true;
    let lost: SmtpFailure | undefined;
    const handOn = (): boolean => {
      handedOn = mayHandOn && conversation !== undefined && site.handOn(conversation, streamOf(mail));
      return handedOn;
    };
    try {
      for (;;) {
        const fresh: boolean = conversation === undefined;
        conversation ??= await open(mail, site, reach);
        note.with(conversation, peers.get(conversation));
        try {
          const reply = await transact(mail, conversation, note, handOn);
          return note.done(reply === undefined ? { type: 'withdrawn' } : { type: 'sent', reply: oneLine(reply) });
        } catch (error) {
          const failure = failureOf(error);
          note.failed(failure);
          if (!(isUnfit(failure) || (fresh ? goesOn(failure) : isStale(failure)))) return note.done(outcomeOf(failure));
          if (fresh) lost ??= failure;
          const entered: Entered = await (handedOn ? site.enter(streamOf(mail)) : dropped(conversation, site));
          if (entered === 'stuck') return note.done(outcomeOf(failure));
          conversation = entered === 'open' ? undefined : entered;
          handedOn = false;
          mayHandOn = false;
        }
      }
    } catch (error) {
      if (!(error instanceof Unreached)) throw error;
      return note.done(lost === undefined ? error.outcome : outcomeOf(lost));
    } finally {
      if (!handedOn) site.leave(conversation, streamOf(mail));
    }
  }

  /** Sites that share hosts have connections of their own, as they have limits of their own. */
  function siteOf({ key, source: { four, six } }: Plan, bounds: ReceiverBounds | undefined): Site {
    if (bounds === undefined) return sites.of(key);
    return sites.of(`${bounds.site} ${key}`, {
      name: [bounds.site, four, six].join(' '),
      connectionsPerSite: () => bounds.connections,
      maxMessagesPerConnection: bounds.messagesPerConnection,
    });
  }

  return {
    async send(mail) {
      const startedAt = clock.now();
      const unsent = (outcome: Outcome): Attempt => ({
        outcome,
        transcript: { route, startedAt, ms: clock.now() - startedAt, steps: [] },
      });
      const plan = await planOf(mail, { settings, resolver, policyOf, random, lacks: dialer.lacks });
      if ('type' in plan) return unsent(plan);
      const site = siteOf(plan, mail.site);
      const entered = await site.enter(streamOf(mail));
      if (entered === 'stuck') return unsent(later('network', `the mail servers of ${plan.domain} do not answer`));
      return attempt(mail, plan, site, entered === 'open' ? undefined : entered);
    },
    verify: (options) => verifyMx(options, { settings, resolver, policyOf, random, clock }),
    close: sites.close,
  };
}

function streamOf(mail: OutgoingMail): 'transactional' | 'broadcast' {
  return mail.stream ?? 'transactional';
}

/** The place in the site is kept, for another connection. */
async function dropped(conversation: Conversation, site: Site): Promise<'open'> {
  await site.drop(conversation);
  return 'open';
}

/** The server went away, or was about to, before it had anything to say about the mail: another one may do better. */
function goesOn({ error, step, afterData }: SmtpFailure): boolean {
  return !afterData && step !== 'MESSAGE' && (error.response === undefined || error.responseCode === 421);
}

/** What an attempt tells of itself. */
interface Note {
  onStep(step: string, reply: string, ms: number): void;
  /** Asks, the first time, whether the mail is still to be sent. */
  begins(): boolean;
  with(conversation: Conversation, peer: Peer | undefined): void;
  failed(failure: SmtpFailure): void;
  done(outcome: Outcome): Attempt;
}

/** Hosts that a transcript names. */
const NAMED = 10;

function createNote(route: string, clock: Pick<Clock, 'now'>, mail: OutgoingMail, plan: Plan): Note {
  const startedAt = clock.now();
  const steps: TranscriptStep[] = [];
  const considered = plan.hosts.slice(0, NAMED).map(({ name, preference }) => `${preference} ${name}`);
  let begun = false;
  let to: Partial<Attempt['transcript']> = {};
  return {
    onStep: (step, reply, ms) => void steps.push({ step, reply: oneLine(reply), ms }),
    begins() {
      if (begun) return true;
      begun = mail.onStart?.(clock.now()) !== false;
      return begun;
    },
    with({ secure, tlsVersion }, { host, address, localAddress } = { host: '', address: '', localAddress: undefined }) {
      to = { host, address, localAddress, tls: secure, tlsVersion };
    },
    failed(failure) {
      if (steps.at(-1)?.step !== failure.step)
        steps.push({ step: failure.step, reply: oneLine(failure.message), ms: 0 });
    },
    done: (outcome) => ({
      outcome,
      transcript: { route, ...to, considered, startedAt, ms: clock.now() - startedAt, steps },
    }),
  };
}
