import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { answer, truncated, u16, type Zone } from './dns-wire.ts';

export type { Zone } from './dns-wire.ts';

/** A name server until the test ends. */
export interface FakeDns {
  /** `address:port`. */
  readonly server: string;
  /** What it says; tests may change it. */
  readonly zone: Zone;
  /** Questions that came, such as `MX example.com`; those over TCP begin with `TCP `. */
  readonly questions: string[];
}

/** Longest answer over UDP; beyond it is cut, and asked for again over TCP. */
const UDP_BYTES = 512;

/** How long to wait for its answers, ms: a machine that is busy takes long, and silence on purpose is soon known. */
export function patienceWith(zone: Zone): number {
  return Object.values(zone).includes('silence') ? 200 : 2000;
}

/** Starts a name server (RFC 1035) on the loopback, over UDP and TCP. */
export async function fakeDns(zone: Zone): Promise<FakeDns> {
  const questions: string[] = [];
  const udp = createSocket('udp4');
  const sockets = new Set<Socket>();
  const find = (name: string): Zone[string] | undefined => zone[name];
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const reply = answer(chunk.subarray(2), find, (question) => questions.push(`TCP ${question}`));
      if (reply === undefined) return;
      socket.write(Buffer.concat([u16(reply.length), reply]));
    });
  });
  udp.on('message', (query, { port, address }) => {
    const reply = answer(query, find, (question) => questions.push(question));
    if (reply !== undefined) udp.send(reply.length > UDP_BYTES ? truncated(reply) : reply, port, address);
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const { port } = tcp.address() as AddressInfo;
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    udp.close();
    tcp.close();
  });
  return { server: `127.0.0.1:${port}`, zone, questions };
}
