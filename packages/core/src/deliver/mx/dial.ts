import type { Clock } from '../../clock.ts';
import { openConnection } from '../smtp/connect.ts';
import { type Conversation, createConversation } from '../smtp/conversation.ts';
import { failureOf, type SmtpFailure } from '../smtp/failure.ts';
import type { StepSink } from '../smtp/session-log.ts';
import type { Candidate } from './candidates.ts';
import { connectSocket } from './connect-socket.ts';
import { createMemory, type Memory } from './memory.ts';
import { lacksAddress, ownFault } from './own-fault.ts';
import type { FilledSettings } from './settings.ts';

/** One address, and how to connect to it. */
export interface Call extends Candidate {
  readonly verify: boolean;
  readonly localAddress: string | undefined;
}

/** Opens conversations with single addresses, and remembers what did not work. */
export interface Dialer {
  /** @throws SmtpFailure */
  dial(call: Call, onStep: StepSink): Promise<Conversation>;
  /** Until when an address is left alone, as it did not answer, ms since the epoch. */
  deadUntil(address: string): number | undefined;
  /** Whether this machine did not have a local address of late. */
  lacks(localAddress: string): boolean;
}

/** TLS that broke is tried again after this time, ms. */
const BROKEN_TLS_MS = 3_600_000;
/** A local address that this machine does not have is asked for again after this time, ms. */
const LACKING_MS = 300_000;

export function createDialer(settings: FilledSettings, clock: Pick<Clock, 'now'>): Dialer {
  const dead = createMemory(settings.deadHostMs, clock);
  const brokenTls = createMemory(BROKEN_TLS_MS, clock);
  const lacking = createMemory(LACKING_MS, clock);

  return {
    deadUntil: (address) => dead.until(address),
    lacks: (localAddress) => lacking.until(localAddress) !== undefined,
    async dial(call, onStep) {
      try {
        const conversation = await withFallback(call, onStep, settings, brokenTls);
        dead.forget(call.address);
        return conversation;
      } catch (error) {
        const failure = failureOf(error);
        if (isSilence(failure)) dead.remember(call.address);
        if (call.localAddress !== undefined && lacksAddress(failure)) lacking.remember(call.localAddress);
        throw failure;
      }
    },
  };
}

/** Broken TLS is no worse than none, unless the recipient's domain asked for it. */
async function withFallback(
  call: Call,
  onStep: StepSink,
  settings: FilledSettings,
  brokenTls: Memory,
): Promise<Conversation> {
  let last = '';
  const heard: StepSink = (step, reply, ms) => {
    last = step;
    onStep(step, reply, ms);
  };
  const ignoreTls = !call.verify && brokenTls.until(call.address) !== undefined;
  try {
    return await openTo(call, ignoreTls, settings, heard);
  } catch (error) {
    const failure = failureOf(error);
    if (call.verify || ignoreTls || !(failure.error.code === 'ETLS' || last === 'STARTTLS')) throw failure;
    brokenTls.remember(call.address);
    onStep('STARTTLS', `${call.host} [${call.address}]: ${failure.message}; once more without TLS`, 0);
    return openTo(call, true, settings, heard);
  }
}

async function openTo(
  { host, address, verify, localAddress }: Call,
  ignoreTls: boolean,
  settings: FilledSettings,
  onStep: StepSink,
): Promise<Conversation> {
  const { hostname, ca, ports, connectionTimeoutMs, greetingTimeoutMs, socketTimeoutMs } = settings;
  const named = host === address ? {} : { servername: host };
  const trust = verify
    ? { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) }
    : { rejectUnauthorized: false };
  const port = ports?.smtp ?? 25;
  const socket = await connectSocket({ host: address, port, localAddress }, connectionTimeoutMs);
  const connection = await openConnection(
    {
      socket,
      host: address,
      port,
      name: hostname,
      requireTls: verify,
      ignoreTls,
      tls: { ...trust, ...named },
      greetingTimeoutMs,
      // For nodemailer this is all that comes before EHLO: the greeting, and TLS.
      connectionTimeoutMs: 2 * greetingTimeoutMs,
    },
    socketTimeoutMs,
    onStep,
  );
  return createConversation(connection, { mailMs: 5 * socketTimeoutMs });
}

/** Nothing listens there, or nobody says anything. */
function isSilence(failure: SmtpFailure): boolean {
  const { error, connected } = failure;
  const code = error.code ?? '';
  if (connected || error.response || ownFault(failure) !== undefined) return false;
  return (
    (code === 'ETIMEDOUT' || code === 'ESOCKET' || code === 'ECONNECTION') &&
    !/certificate|TLS|SSL/i.test(error.message)
  );
}
