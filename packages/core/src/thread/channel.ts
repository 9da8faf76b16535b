import type { MessagePort, Worker } from 'node:worker_threads';
import type { ChannelOptions } from 'birpc';
import { reviveError, type SerializedError, serializeError } from '../errors.ts';

/** What `postMessage` and `on('message')` share between a worker and its parent. */
type Port = Pick<MessagePort | Worker, 'postMessage'> & {
  on(event: 'message', listener: (value: unknown) => void): unknown;
};

/** Tells the worker to end by itself. Not a batch of packets, so that the channel passes over it. */
export const END = 'end';

interface Packet {
  readonly t: string;
  readonly e?: unknown;
}

/**
 * A channel for birpc that batches: all calls and answers of one turn of the event loop cross in one message, and errors
 * cross as data, so that codes and details survive.
 */
export function batchedChannel(
  port: Port,
): Required<Pick<ChannelOptions, 'post' | 'on' | 'serialize' | 'deserialize'>> {
  let outgoing: unknown[] = [];
  const flush = (): void => {
    const batch = outgoing;
    outgoing = [];
    port.postMessage(batch);
  };
  return {
    post(packet: unknown): void {
      if (outgoing.push(packet) === 1) setImmediate(flush);
    },
    on(receive: (packet: unknown) => void): void {
      port.on('message', (batch) => {
        if (!Array.isArray(batch)) return;
        for (const packet of batch) receive(packet);
      });
    },
    serialize: (packet: Packet) => (packet.e === undefined ? packet : { ...packet, e: serializeError(packet.e) }),
    deserialize: (packet: Packet) =>
      packet.e === undefined ? packet : { ...packet, e: reviveError(packet.e as SerializedError) },
  };
}
