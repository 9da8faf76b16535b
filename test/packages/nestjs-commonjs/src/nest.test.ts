import 'reflect-metadata';
import { mailMatchers } from '@mailrelay/core/testing';
import { MailRelayModule, MailRelayService } from '@mailrelay/nestjs';
import { MailRelayInbox, MailRelayTestModule, mailRelayKit } from '@mailrelay/nestjs/testing';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';

@Injectable()
class Signup {
  constructor(private readonly mail: MailRelayService) {}

  greet(to: string) {
    return this.mail.send({ to, template: 'welcome', data: { name: 'Ada' } });
  }
}

@Module({
  imports: [
    MailRelayModule.forRoot({
      from: 'Acme <hello@acme.example>',
      templates: 'emails',
      routes: ['smtps://smtp.acme.example'],
    }),
  ],
  providers: [Signup],
})
class AppModule {}

expect.extend(mailMatchers);

test('the relay of a Nest application becomes one for tests', async () => {
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideModule(MailRelayModule)
    .useModule(MailRelayTestModule)
    .compile();
  await module.get(Signup).greet('ada@example.com');
  await expect(module.get(MailRelayInbox)).toHaveReceived({ to: 'ada@example.com', subject: 'Welcome, Ada' });
  const { inbox, click } = mailRelayKit(module);
  expect(await click(await inbox.last(), 'Start')).toBe('https://acme.example/start');
  await module.close();
});
