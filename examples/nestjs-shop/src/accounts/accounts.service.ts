import { randomUUID } from 'node:crypto';
import { MailRelayService } from '@mailrelay/nestjs';
import { Injectable, NotFoundException } from '@nestjs/common';

export interface Account {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  confirmed: boolean;
  /** Why no mail is sent any more. */
  disabled?: string;
}

/** Accounts. A real shop keeps them in a database. */
@Injectable()
export class AccountsService {
  private readonly accounts = new Map<string, Account>();
  private readonly tokens = new Map<string, Account>();

  constructor(private readonly mail: MailRelayService) {}

  /** Makes an account; it counts when the link in the mail was followed. */
  async signUp({ email, name }: { email: string; name: string }): Promise<Account> {
    const account: Account = { id: randomUUID(), email, name, confirmed: false };
    const token = randomUUID();
    // The mail first: an address that cannot be one makes no account.
    await this.mail.send({
      to: { name, address: email },
      template: 'confirm',
      data: { name, link: `${this.mail.publicUrl}/accounts/confirm/${token}` },
      idempotencyKey: `confirm-${account.id}`,
    });
    this.accounts.set(account.id, account);
    this.tokens.set(token, account);
    return account;
  }

  confirm(token: string): Account {
    const account = this.tokens.get(token);
    if (account === undefined) throw new NotFoundException();
    account.confirmed = true;
    return account;
  }

  get(id: string): Account {
    return this.accounts.get(id) ?? notFound();
  }

  disable(email: string, reason: string): void {
    for (const account of this.accounts.values()) if (account.email === email) account.disabled = reason;
  }

  /** Whoever wants the digest. */
  *readers(): Generator<Account> {
    for (const account of this.accounts.values()) {
      if (account.confirmed && account.disabled === undefined) yield account;
    }
  }
}

function notFound(): never {
  throw new NotFoundException();
}
