import type { MailRelay } from '@mailrelay/core';
import { type Check, same } from './checks.ts';
import type { Reading } from './readers.ts';
import type { World } from './world.ts';

/** Who unsubscribed, and who does not exist, gets no second newsletter. */
export async function checkConsent(relay: MailRelay, world: World, readings: readonly Reading[]): Promise<Check[]> {
  const gone = readings.filter(({ unsubscribed }) => unsubscribed).map(({ mail }) => mail.to);
  const unknown = [...world.mailboxes].filter(([, { fate }]) => fate === 'unknown-user').map(([address]) => address);
  const people = [...gone, ...unknown];
  const suppressed = await Promise.all(
    people.map((address) => relay.suppressions.has(address, { stream: 'broadcast' })),
  );
  const before = world.attemptsAt.length;
  const second = await relay.sendMany(people, {
    campaign: 'reminder',
    subject: 'One day left',
    text: 'The open day is tomorrow.',
  });
  const report = people.length === 0 ? undefined : await relay.reports.campaign('reminder');
  return [
    same(
      'suppressed: who unsubscribed and who does not exist',
      suppressed.filter(Boolean).length,
      gone.length + unknown.length,
    ),
    same(
      'a second newsletter to them: suppressed, pending, attempts',
      [second.suppressed, report?.pending ?? 0, world.attemptsAt.length - before],
      [people.length, 0, 0],
    ),
  ];
}
