import { readFile } from 'node:fs/promises';
import type { MailRelay } from '@mailrelay/core';
import { PROGRAMME, RECIPIENTS, sharedData } from './campaign.ts';
import { type Check, holds, same } from './checks.ts';
import { type ReadableMail, readMail, sha256 } from './mail.ts';
import { planOf } from './people.ts';
import { inParallel, type Reading, read } from './readers.ts';
import { mailboxOf, type Recipient, readRecipients } from './recipients.ts';
import type { World } from './world.ts';

/** All readers read. Answers what they did, and whether each mail was as it should be. */
export async function everybodyReads(
  relay: MailRelay,
  world: World,
  count: number,
): Promise<{ readings: Reading[]; checks: Check[] }> {
  const people = await recipientsByMailbox(count);
  const shared = await sharedData();
  const programme = sha256(await readFile(PROGRAMME));
  const readings: Reading[] = [];
  const problems: string[] = [];
  const mails = [...people].flatMap(([address, recipient], index) => {
    const plan = planOf(index);
    const raw = world.mailboxes.get(address)?.mails[0];
    return plan && raw ? [{ recipient, plan, raw, index }] : [];
  });
  await inParallel(mails, 8, async ({ recipient, plan, raw, index }) => {
    const mail = await readMail(raw);
    const { html } = await relay.templates.render(
      'spring',
      { ...shared, ...recipient.data },
      { locale: recipient.locale },
    );
    problems.push(...wrongIn(mail, recipient, programme));
    readings.push(await read(mail, plan, html ?? '', index));
  });
  problems.push(...readings.flatMap((reading) => reading.problems));
  return {
    readings,
    checks: [
      holds(
        'mails that were read',
        readings.length > 0,
        `${readings.length}, by ${new Set(mails.map(({ plan }) => plan.program.kind)).size} kinds of programs`,
      ),
      same(
        'name, language, attachment, links and answers of each of them',
        { wrong: problems.slice(0, 10) },
        { wrong: [] },
      ),
    ],
  };
}

/** Links that people did not follow: a page that only looks, one that was forged, the mail in a browser. */
export async function checkPages(relay: MailRelay, readings: readonly Reading[]): Promise<Check[]> {
  const quiet = readings.find(({ plan }) => plan.program.kind === 'person' && !plan.unsubscribes && plan.clicks === 0);
  if (!quiet) return [];
  const { mail } = quiet;
  const looked = await fetch(mail.oneClick ?? '');
  const link = mail.links.find((one) => one.includes('/mail/c/')) ?? '';
  const forged = await fetch(`${link.slice(0, -1)}${link.endsWith('A') ? 'B' : 'A'}`, { redirect: 'manual' });
  const view = await fetch(mail.links.find((one) => one.includes('/mail/v/')) ?? '');
  const page = await view.text();
  return [
    same(
      'an unsubscribe page that is only looked at',
      [looked.status, await relay.suppressions.has(mail.to)],
      [200, false],
    ),
    same('a forged link', forged.status, 404),
    holds(
      'the mail in a browser',
      view.status === 200 && page.includes('acme.example') && !page.includes('/mail/o/'),
      `${view.status}, without a pixel`,
    ),
  ];
}

function wrongIn(mail: ReadableMail, recipient: Recipient, programme: string): string[] {
  const { firstName, points } = recipient.data;
  const season = recipient.locale === 'fr' ? 'le printemps est là' : 'spring is here';
  const wrong: string[] = [];
  if (mailboxOf(mail.to) !== mailboxOf(recipient.to.address)) wrong.push(`To is ${mail.to}`);
  if (!mail.subject.startsWith(`${firstName}, ${season}`)) wrong.push(`subject is ${mail.subject}`);
  if (!mail.html.includes(`${points} points`) || !mail.text.includes(`${points} points`))
    wrong.push('the points are missing');
  if (mail.html.includes('{{')) wrong.push('a placeholder is left');
  if (mail.attachments.get('programme.pdf') !== programme) wrong.push('the attachment differs');
  if (!mail.pixel || !mail.oneClick) wrong.push('the pixel or the unsubscribe header is missing');
  return wrong.map((problem) => `${recipient.to.address}: ${problem}`);
}

async function recipientsByMailbox(count: number): Promise<Map<string, Recipient>> {
  const people = new Map<string, Recipient>();
  for await (const recipient of readRecipients(RECIPIENTS, count)) {
    const address = mailboxOf(recipient.to.address);
    if (!people.has(address)) people.set(address, recipient);
  }
  return people;
}
