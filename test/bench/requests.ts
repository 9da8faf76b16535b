/** A client that costs little beside the server that it measures: bare sockets, one request at a time on each. */
import { connect, type Socket } from 'node:net';

/** How many requests were answered, and what one answer was. */
export interface Answered {
  readonly answered: number;
  readonly perSecond: number;
  readonly first: string;
}

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const HEAD_END = Buffer.from('\r\n\r\n');

/** Asks for paths in turns over connections that stay open, for a time or a number of requests. */
export async function askAtOnce(
  port: number,
  paths: readonly string[],
  { connections, seconds, most }: { connections: number; seconds: number; most: number },
): Promise<Answered> {
  let asked = 0;
  let answered = 0;
  let first = '';
  const start = performance.now();
  const end = start + seconds * 1000;
  const next = (): Buffer | undefined => {
    if (asked >= most || performance.now() >= end) return undefined;
    const path = paths[asked++ % paths.length];
    return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: ${AGENT}\r\n\r\n`);
  };
  const took = (head: string): void => {
    answered += 1;
    if (answered === 1) first = head;
    if (!/^HTTP\/1\.1 (200|302) /.test(head)) throw new Error(`the server answered ${head.slice(0, 40)}`);
  };
  await Promise.all(Array.from({ length: connections }, () => ask(connect(port, '127.0.0.1'), next, took)));
  return { answered, perSecond: answered / ((performance.now() - start) / 1000), first };
}

function ask(socket: Socket, next: () => Buffer | undefined, took: (head: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.setNoDelay(true);
    let rest = Buffer.alloc(0);
    const go = (): void => {
      const request = next();
      if (request === undefined) {
        socket.destroy();
        resolve();
      } else socket.write(request);
    };
    socket.once('connect', go);
    socket.once('error', reject);
    socket.once('end', () => reject(new Error('the server closed a connection')));
    socket.on('data', (chunk) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const end = rest.indexOf(HEAD_END);
      if (end < 0) return;
      const head = rest.toString('latin1', 0, end);
      const body = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (rest.length < end + HEAD_END.length + body) return;
      rest = Buffer.alloc(0);
      try {
        took(head);
        go();
      } catch (error) {
        socket.destroy();
        reject(error as Error);
      }
    });
  });
}
