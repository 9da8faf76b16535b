import { MailRelayModule } from '@mailrelay/nestjs';
import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { AccountsModule } from './accounts/accounts.module.ts';
import { DigestModule } from './digest/digest.module.ts';
import { HealthModule } from './health/health.module.ts';
import { OrdersModule } from './orders/orders.module.ts';

@Module({
  imports: [
    // The rest comes from the environment: MAIL_RELAY_PUBLIC_URL, MAIL_RELAY_SECRET, MAIL_RELAY_SMTP_URL, MAIL_RELAY_STORE.
    MailRelayModule.forRoot({ from: 'The Shop <shop@example.com>' }),
    ScheduleModule.forRoot(),
    AccountsModule,
    OrdersModule,
    DigestModule,
    HealthModule,
  ],
})
export class AppModule {}
