import { isMailRelayError } from '@mailrelay/core';
import { BadRequestException, Body, Controller, Get, Param, Post } from '@nestjs/common';
import { type Account, AccountsService } from './accounts.service.ts';

@Controller('accounts')
export class AccountsController {
  constructor(private readonly accounts: AccountsService) {}

  @Post()
  async signUp(@Body() body: { email: string; name: string }): Promise<Account> {
    try {
      return await this.accounts.signUp(body);
    } catch (error) {
      if (isMailRelayError(error) && error.code === 'ADDRESS_INVALID') throw new BadRequestException('No such address');
      throw error;
    }
  }

  @Get('confirm/:token')
  confirm(@Param('token') token: string): string {
    return `Welcome, ${this.accounts.confirm(token).name}`;
  }

  @Get(':id')
  show(@Param('id') id: string): Account {
    return this.accounts.get(id);
  }
}
