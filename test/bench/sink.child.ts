/** A bare SMTP sink in a process of its own: takes everything, keeps nothing. */
import { createServer, type Socket } from 'node:net';
import { serveCalls } from './child.ts';

/** What this process is asked. */
export interface BuiltInSink {
  /** Answers the port. */
  listen(): Promise<number>;
}

const END = Buffer.from('\r\n.\r\n');
const OK = '250 2.0.0 Ok\r\n';
const GREETING = '250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n';

function take(socket: Socket): void {
  socket.setNoDelay(true);
  socket.write('220 sink\r\n');
  let inData = false;
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let replies = '';
    for (;;) {
      const end = rest.indexOf(inData ? END : '\r\n');
      if (end < 0) break;
      if (inData) {
        rest = rest.subarray(end + END.length);
        inData = false;
        replies += OK;
        continue;
      }
      const command = rest.toString('latin1', 0, Math.min(end, 4)).toUpperCase();
      rest = rest.subarray(end + 2);
      if (command === 'QUIT') {
        socket.end('221 bye\r\n');
        return;
      }
      inData = command === 'DATA';
      replies += command === 'EHLO' ? GREETING : inData ? '354 go\r\n' : OK;
    }
    if (inData && rest.length > 1 << 20) rest = rest.subarray(-16);
    if (replies !== '') socket.write(replies);
  });
  socket.on('error', () => socket.destroy());
}

serveCalls({
  listen: () =>
    new Promise<number>((resolve) => {
      const server = createServer(take);
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    }),
} satisfies BuiltInSink);
