import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MailRelay } from '@mailrelay/core';
import { lineOf, readRecipients } from './recipients.ts';

const DATA = join(import.meta.dirname, '../data');

/** The list of recipients. */
export const RECIPIENTS: string = join(DATA, 'recipients.csv');

/** The file that is attached to each mail. */
export const PROGRAMME: string = join(DATA, 'programme.pdf');

/** A line of the list that got no mail. */
export interface RejectedLine {
  readonly line: number;
  readonly recipient: string;
  readonly code: string;
  readonly message: string;
}

/** What became of the list. */
export interface Accepted {
  readonly accepted: number;
  readonly rejected: readonly RejectedLine[];
}

/** Data that all recipients share. */
export async function sharedData(): Promise<object> {
  return { season: 'spring', products: JSON.parse(await readFile(join(DATA, 'products.json'), 'utf8')) };
}

/** Hands the whole list to the relay. What is accepted is stored; it goes out while this still reads. */
export async function sendSpring(relay: MailRelay, count: number): Promise<Accepted> {
  const rejected: RejectedLine[] = [];
  let accepted = 0;
  const progresses = relay.sendMany(readRecipients(RECIPIENTS, count), {
    campaign: 'spring',
    template: 'spring',
    data: await sharedData(),
    attachments: [{ filename: 'programme.pdf', content: await readFile(PROGRAMME), contentType: 'application/pdf' }],
    idempotencyKey: 'spring-2026',
  });
  for await (const progress of progresses) {
    accepted = progress.accepted;
    for (const { index, recipient, code, message } of progress.rejections) {
      rejected.push({ line: lineOf(index), recipient, code, message });
    }
  }
  return { accepted, rejected };
}
