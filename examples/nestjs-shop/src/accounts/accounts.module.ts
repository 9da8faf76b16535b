import { join } from 'node:path';
import { MailRelayModule } from '@mailrelay/nestjs';
import { Module } from '@nestjs/common';
import { AccountsController } from './accounts.controller.ts';
import { AccountsService } from './accounts.service.ts';
import { Bounces } from './bounces.ts';

@Module({
  imports: [MailRelayModule.forFeature({ templates: join(import.meta.dirname, 'emails') })],
  controllers: [AccountsController],
  providers: [AccountsService, Bounces],
  exports: [AccountsService],
})
export class AccountsModule {}
