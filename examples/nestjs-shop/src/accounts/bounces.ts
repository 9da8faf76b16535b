import type { EventOf } from '@mailrelay/core';
import { OnMailEvent } from '@mailrelay/nestjs';
import { Injectable } from '@nestjs/common';
import { AccountsService } from './accounts.service.ts';

/** Nobody reads what a mailbox refuses for good. */
@Injectable()
export class Bounces {
  constructor(private readonly accounts: AccountsService) {}

  @OnMailEvent('bounced')
  disable({ recipient, kind, reason }: EventOf<'bounced'>): void {
    if (kind === 'hard') this.accounts.disable(recipient, reason);
  }
}
