/** A bare SMTP sink in a process of its own: takes everything, keeps nothing. Prints its port. */
import { createServer } from 'node:net';

const END = Buffer.from('\r\n.\r\n');

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.write('220 sink\r\n');
  let inData = false;
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let replies = '';
    for (;;) {
      if (inData) {
        const end = rest.indexOf(END);
        if (end < 0) break;
        rest = rest.subarray(end + END.length);
        inData = false;
        replies += '250 2.0.0 Ok\r\n';
        continue;
      }
      const end = rest.indexOf('\r\n');
      if (end < 0) break;
      const command = rest.toString('latin1', 0, Math.min(end, 4)).toUpperCase();
      rest = rest.subarray(end + 2);
      if (command === 'EHLO') replies += '250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n';
      else if (command === 'DATA') {
        inData = true;
        replies += '354 go\r\n';
      } else if (command === 'QUIT') {
        socket.end('221 bye\r\n');
        return;
      } else replies += '250 2.0.0 Ok\r\n';
    }
    if (inData && rest.length > 1 << 20) rest = rest.subarray(-16);
    if (replies !== '') socket.write(replies);
  });
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' && address ? address.port : 0);
});
process.on('disconnect', () => process.exit(0));
