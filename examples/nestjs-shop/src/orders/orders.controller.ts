import { Body, Controller, Post } from '@nestjs/common';
import type { Item, Order } from './order.ts';
import { OrdersService } from './orders.service.ts';

interface NewOrder {
  readonly account: string;
  readonly items: readonly Item[];
}

@Controller('orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Post()
  take(@Body() { account, items }: NewOrder): Promise<Order> {
    return this.orders.take(account, items);
  }
}
