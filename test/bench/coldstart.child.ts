/** An empty Nest application, or the same with the relay: says how long its start took, and its memory. */
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

const [kind, store = ''] = process.argv.slice(2);

async function withRelay(): Promise<object[]> {
  const { MailRelayModule } = await import('@mailrelay/nestjs');
  return [
    MailRelayModule.forRoot({
      from: 'app@example.com',
      secret: 'a secret for the benchmark',
      publicUrl: 'https://mail.example.com',
      store,
    }),
  ];
}

class AppModule {}
Module({ imports: (kind === 'relay' ? await withRelay() : []) as never[] })(AppModule);

const app = await NestFactory.create(AppModule, { logger: false });
const mountedMs = performance.now();
const mountedBytes = process.memoryUsage.rss();
await app.listen(0, '127.0.0.1');
process.send?.({ mountedMs, mountedBytes, readyMs: performance.now(), readyBytes: process.memoryUsage.rss() });
process.disconnect();
await app.close();
