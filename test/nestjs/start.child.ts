/** Starts and stops an application, in a process that tells which modules it loads. */
import { MailRelayModule } from '@mailrelay/nestjs';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

const [store = '', templates = ''] = process.argv.slice(2);

@Module({
  imports: [
    MailRelayModule.forRoot({
      from: 'app@example.com',
      secret: 'a secret of enough length',
      publicUrl: 'https://mail.example.com',
      store,
      templates: { folder: templates, watch: false },
    }),
  ],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
await app.close();
