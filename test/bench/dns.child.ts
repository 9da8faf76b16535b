/** A name server in a process of its own, for any number of domains. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { answer, type Zone } from '../support/dns-wire.ts';
import { serveCalls } from './child.ts';

/** What this process is asked. */
export interface DnsProcess {
  /**
   * Answers for `d0.test`, `d1.test` … whose mail goes to one of so many hosts, which all are this machine; answers the port.
   */
  listen(hosts: number): Promise<number>;
  /** Questions that came so far. */
  asked(): number;
}

let asked = 0;

async function listen(hosts: number): Promise<number> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  socket.on('message', (query, { port, address }) => {
    asked += 1;
    const reply = answer(query, (name) => recordsOf(name, hosts));
    if (reply !== undefined) socket.send(reply, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket.address().port;
}

function recordsOf(name: string, hosts: number): Zone[string] | undefined {
  const [, kind, digits] = /^([dm])(\d+)\.test$/.exec(name) ?? [];
  const number = Number(digits);
  if (kind === 'd') return { MX: [[10, `m${number % hosts}.test`]] };
  if (kind === 'm') return { A: ['127.0.0.1'] };
  return undefined;
}

serveCalls({ listen, asked: () => asked } satisfies DnsProcess);
