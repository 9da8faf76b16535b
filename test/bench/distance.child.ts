/** Puts a distance between this machine and a server: what is said takes a while to arrive, and does so in order. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { serveCalls } from './child.ts';

/** What this process is asked. */
export interface DistanceProcess {
  /** Answers the port of a server that is so far away, ms there and back. */
  listen(port: number, roundTripMs: number): Promise<number>;
}

function pass(from: Socket, to: Socket, ms: number): void {
  from.on('data', (chunk) => setTimeout(() => to.write(chunk), ms));
  from.on('end', () => setTimeout(() => to.end(), ms));
  from.on('error', () => to.destroy());
}

async function listen(port: number, roundTripMs: number): Promise<number> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
    pass(near, far, roundTripMs / 2);
    pass(far, near, roundTripMs / 2);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

serveCalls({ listen } satisfies DistanceProcess);
