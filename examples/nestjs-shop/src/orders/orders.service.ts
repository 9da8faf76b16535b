import { MailRelayService } from '@mailrelay/nestjs';
import { Injectable } from '@nestjs/common';
import { AccountsService } from '../accounts/accounts.service.ts';
import { invoicePdf } from './invoice-pdf.ts';
import { euros, type Item, type Order } from './order.ts';

@Injectable()
export class OrdersService {
  private last = 1000;

  constructor(
    private readonly accounts: AccountsService,
    private readonly mail: MailRelayService,
  ) {}

  /** Takes an order; its mail, with the invoice, is stored when this resolves. */
  async take(accountId: string, items: readonly Item[]): Promise<Order> {
    const { email, name } = this.accounts.get(accountId);
    const total = items.reduce((sum, { price }) => sum + price, 0);
    const order = { number: ++this.last, name, items, total };
    await this.mail.send({
      to: { name, address: email },
      template: 'order',
      data: {
        number: order.number,
        name,
        items: items.map(({ title, price }) => ({ title, price: euros(price) })),
        total: euros(total),
      },
      attachments: [
        { filename: `invoice-${order.number}.pdf`, content: invoicePdf(order), contentType: 'application/pdf' },
      ],
      metadata: { order: order.number },
      tags: ['order'],
    });
    return order;
  }
}
