/** A Nest application in a process of its own: sends what its standard input says, one address a line, and answers ids. */
import { createInterface } from 'node:readline';
import { smtp } from '@mailrelay/core';
import { MailRelayModule, MailRelayService } from '@mailrelay/nestjs';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

const [store = '', port = ''] = process.argv.slice(2);

@Module({
  imports: [
    MailRelayModule.forRoot({
      from: 'app@example.com',
      secret: 'a secret of enough length',
      publicUrl: 'https://mail.example.com',
      store,
      routes: [smtp({ host: '127.0.0.1', port: Number(port) }, { name: 'out', rate: '20/s' })],
      queue: { leaseMs: 1500 },
    }),
  ],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
console.log('ready');
const relay = app.get(MailRelayService);
for await (const to of createInterface({ input: process.stdin })) {
  const { id } = await relay.send({ to, subject: 'Hello', text: 'Hello' });
  console.log(id);
}
