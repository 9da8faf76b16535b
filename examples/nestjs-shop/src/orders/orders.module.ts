import { join } from 'node:path';
import { MailRelayModule } from '@mailrelay/nestjs';
import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.ts';
import { OrdersController } from './orders.controller.ts';
import { OrdersService } from './orders.service.ts';

@Module({
  imports: [AccountsModule, MailRelayModule.forFeature({ templates: join(import.meta.dirname, 'emails') })],
  controllers: [OrdersController],
  providers: [OrdersService],
})
export class OrdersModule {}
