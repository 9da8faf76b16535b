/** Programs of this machine that tests and benchmarks start. */
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';

/** Path of a program; Debian keeps some outside of the PATH of users. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/lib/postfix/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Below the ports that systems give out themselves (Linux: from 32768 on). */
const PORTS = { first: 20_000, last: 32_767 };

/**
 * A port of an address that nobody listens on, for a program that takes it some seconds later: what asks for any port meanwhile
 * gets none of these.
 */
export async function freePort(address = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = PORTS.first + Math.floor(Math.random() * (PORTS.last - PORTS.first + 1));
    if (await isFree(port, address)) return port;
  }
  throw new Error(`no port of ${address} is free`);
}

function isFree(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}

/** Waits until something listens on a port. */
export async function listening(port: number, address = '127.0.0.1'): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, address);
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port}`);
}
