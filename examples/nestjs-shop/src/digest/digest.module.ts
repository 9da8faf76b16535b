import { join } from 'node:path';
import { MailRelayModule } from '@mailrelay/nestjs';
import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.ts';
import { DigestService } from './digest.service.ts';

@Module({
  imports: [AccountsModule, MailRelayModule.forFeature({ templates: join(import.meta.dirname, 'emails') })],
  providers: [DigestService],
})
export class DigestModule {}
