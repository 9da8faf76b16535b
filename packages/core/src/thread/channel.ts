import type { MessagePort, Worker } from 'node:worker_threads';
import type { ChannelOptions } from 'birpc';
import { MailRelayError, messageOf, reviveError, type SerializedError, serializeError } from '../errors.ts';

/** What `postMessage` and `on('message')` share between a worker and its parent. */
type Port = Pick<MessagePort | Worker, 'postMessage'> & {
  on(event: 'message', listener: (value: unknown) => void): unknown;
};

/** Tells the worker to end by itself. Not a batch of packets: the channel of the worker tells `onEnd`. */
export const END = 'end';

/**
 * So many calls of one turn are worth a message: while more are being made, the other side begins with them. A call for all
 * of them together would let one side wait for the other, in turns.
 */
const WORTH_A_MESSAGE = 4;

/** A call (`q`) or an answer (`s`). What has no number is an event, which nobody waits for. */
interface Packet {
  readonly t: 'q' | 's';
  readonly i?: string | undefined;
  readonly m?: string;
  readonly e?: unknown;
  /** Parameters, as they are or as JSON. */
  readonly a?: unknown;
  readonly j?: string;
}

/** How messages are taken. */
export interface ChannelTaking {
  /**
   * So long messages are taken in one go, ms; then everything else of the event loop has its turn, also where more wait. Node
   * by itself goes on for as long as there are any, and what is answered meanwhile would wait. Default: as Node does.
   */
  readonly turnMs?: number;
  /** Called with {@link END}, after what came before it. */
  onEnd?(): void;
}

/** Calls that are not like the others. */
export interface ChannelCalls {
  /** Calls that are a batch of their own, so that they wait for nothing. */
  readonly batches?: readonly string[];
  /** Calls with large plain objects and without bytes: they cross as JSON, which takes a third of the time of copying them. */
  readonly asText?: readonly string[];
}

/**
 * A channel for birpc that batches: calls and answers of one turn of the event loop cross in few messages, and errors
 * cross as data, so that codes and details survive. What cannot be copied fails its own call only.
 */
export function batchedChannel(
  port: Port,
  { batches = [], asText = [], turnMs, onEnd }: ChannelCalls & ChannelTaking = {},
): Required<Pick<ChannelOptions, 'post' | 'on' | 'serialize' | 'deserialize'>> {
  let outgoing: Packet[] = [];
  let receive: (packet: unknown) => void = () => {};

  function flush(): void {
    if (outgoing.length === 0) return;
    const batch = outgoing;
    outgoing = [];
    try {
      port.postMessage(batch);
    } catch {
      for (const packet of batch) postAlone(packet);
    }
  }

  function postAlone(packet: Packet): void {
    try {
      port.postMessage([packet]);
    } catch (error) {
      if (packet.i === undefined) return;
      const answer: Packet = { t: 's', i: packet.i, e: serializeError(uncopied(packet, error)) };
      if (packet.t === 'q') receive(answer);
      else port.postMessage([answer]);
    }
  }

  return {
    post(packet: Packet): void {
      const waiting = outgoing.push(packet);
      if (waiting >= WORTH_A_MESSAGE || (packet.m !== undefined && batches.includes(packet.m))) flush();
      // Answers that one commit allows are given in one go; who waits for them is not to wait for the next commit, too.
      else if (packet.t === 's') process.nextTick(flush);
      else if (waiting === 1) setImmediate(flush);
    },
    on(listener: (packet: unknown) => void): void {
      receive = listener;
      const take = (message: unknown): void => {
        if (message === END) onEnd?.();
        if (!Array.isArray(message)) return;
        for (const packet of message) listener(packet);
      };
      port.on('message', turnMs === undefined ? take : inTurns(take, turnMs));
    },
    serialize(packet: Packet): Packet {
      if (packet.e !== undefined) return { ...packet, e: serializeError(packet.e) };
      const { t, i, m, a } = packet;
      return m !== undefined && asText.includes(m) ? { t, i, m, j: JSON.stringify(a) } : packet;
    },
    deserialize(packet: Packet): Packet {
      if (packet.e !== undefined) return { ...packet, e: reviveError(packet.e as SerializedError) };
      return packet.j === undefined ? packet : { ...packet, a: JSON.parse(packet.j) };
    },
  };
}

/** A call comes from the host, an answer from us. */
function uncopied({ t, m }: Packet, cause: unknown): MailRelayError {
  return t === 'q'
    ? new MailRelayError(
        'OPTIONS_INVALID',
        { call: m, reason: `${m}() takes plain values: ${messageOf(cause)}` },
        { cause },
      )
    : new MailRelayError('INTERNAL', { reason: `an answer cannot be copied: ${messageOf(cause)}` }, { cause });
}

/** Takes messages in their order, and lets the event loop turn after each time of `turnMs`. */
function inTurns(take: (message: unknown) => void, turnMs: number): (message: unknown) => void {
  let waiting: unknown[] = [];
  /** Those of `waiting` that were taken. */
  let taken = 0;
  /** None where nothing was taken in this turn. */
  let startedAt: number | undefined;

  function hasTime(): boolean {
    if (startedAt === undefined) {
      startedAt = performance.now();
      setImmediate(nextTurn);
    }
    return performance.now() - startedAt < turnMs;
  }

  function nextTurn(): void {
    startedAt = undefined;
    while (taken < waiting.length && hasTime()) {
      const message = waiting[taken];
      taken += 1;
      take(message);
    }
    if (taken * 2 < waiting.length) return;
    waiting = waiting.slice(taken);
    taken = 0;
  }

  return (message) => {
    if (taken < waiting.length || !hasTime()) waiting.push(message);
    else take(message);
  };
}
