import { smtp } from '@mailrelay/core';
import { MailRelayModule, MailRelayService, OnMailEvent } from '@mailrelay/nestjs';
import { MailerModule, MailerService } from '@mailrelay/nestjs/compat';
import { MailRelayTestModule } from '@mailrelay/nestjs/testing';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

@Injectable()
class Signup {
  readonly seen: string[] = [];

  constructor(readonly mail: MailRelayService) {}

  @OnMailEvent('accepted')
  note({ recipient }: { readonly recipient: string }): void {
    this.seen.push(recipient);
  }
}

@Module({
  imports: [
    MailRelayModule.forRoot({
      from: 'hello@example.com',
      publicUrl: 'http://localhost:3000',
      store: ':memory:',
      routes: [smtp(process.env.SMTP_URL ?? 'no server')],
    }),
  ],
  providers: [Signup],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  await app.listen(0, '127.0.0.1');
  const health = await fetch(`${await app.getUrl()}/mail/health`);
  if (!health.ok) throw new Error(`/mail/health answered ${health.status}`);
  const signup = app.get(Signup);
  await signup.mail.send({ to: 'ada@example.com', subject: `Hello from ${process.env.PROJECT}`, text: 'Hello' });
  await app.close();
  if (signup.seen.join() !== 'ada@example.com') throw new Error(`the handler saw ${signup.seen}`);
  if (typeof MailerModule.forRoot !== 'function' || typeof MailerService !== 'function') throw new Error('no compat');
  if (typeof MailRelayTestModule.forRoot !== 'function') throw new Error('no testing');
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
