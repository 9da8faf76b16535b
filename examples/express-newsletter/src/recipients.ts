import { createReadStream } from 'node:fs';
import { domainToASCII } from 'node:url';
import { parse } from 'csv-parse';

/** One line of recipients.csv. */
interface Row {
  readonly email: string;
  readonly first_name: string;
  readonly last_name: string;
  readonly city: string;
  readonly locale: string;
  readonly plan: string;
  readonly points: string;
  readonly since: string;
}

/** A recipient with the data that the template shows. */
export interface Recipient {
  readonly to: { readonly name: string; readonly address: string };
  readonly locale: string;
  readonly data: {
    readonly firstName: string;
    readonly city: string;
    readonly vip: boolean;
    readonly points: number;
    readonly since: number;
    readonly customerId: number;
  };
}

/** Reads the file as it is needed, so that it may be larger than memory. */
export async function* readRecipients(path: string, count: number): AsyncGenerator<Recipient, void> {
  const rows: AsyncIterable<Row> = createReadStream(path).pipe(parse({ columns: true, to: count }));
  let customerId = 10_000;
  for await (const row of rows) {
    customerId += 1;
    yield {
      to: { name: `${row.first_name} ${row.last_name}`, address: row.email },
      locale: row.locale,
      data: {
        firstName: row.first_name,
        city: row.city,
        vip: row.plan === 'premium',
        points: Number(row.points),
        since: Number(row.since),
        customerId,
      },
    };
  }
}

/** The line of the file that a recipient stands on: `sendMany()` counts from 0, and the first line has the headings. */
export function lineOf(index: number): number {
  return index + 2;
}

/** One spelling for one mailbox, as the receiving side sees it: lower case, the domain in ASCII. */
export function mailboxOf(address: string): string {
  const at = address.lastIndexOf('@');
  return `${address.slice(0, at)}@${domainToASCII(address.slice(at + 1))}`.toLowerCase();
}
