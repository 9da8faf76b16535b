import { MailRelayService } from '@mailrelay/nestjs';
import { Injectable } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { AccountsService } from '../accounts/accounts.service.ts';

/** The digest of a week, to everybody who confirmed an account and did not unsubscribe. */
@Injectable()
export class DigestService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly mail: MailRelayService,
  ) {}

  @Cron('0 8 * * 1', { name: 'weekly-digest', timeZone: 'Europe/Paris' })
  async send(): Promise<void> {
    const campaign = `digest-${new Date().toISOString().slice(0, 10)}`;
    const people = this.accounts.readers().map(({ email, name }) => ({ to: { name, address: email }, data: { name } }));
    // With the key, two instances of the shop whose clocks strike together send one digest.
    await this.mail.sendMany(people, {
      campaign,
      idempotencyKey: campaign,
      template: 'digest',
      data: { news: ['Spades are here', 'Rakes on sale'] },
      topic: 'digest',
    });
  }
}
