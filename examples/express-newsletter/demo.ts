/** `npm run demo`: a newsletter to 1,000 recipients, from the list to the report. `--keep` stays up at the end. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createApp } from './src/app.ts';
import { sendSpring } from './src/campaign.ts';
import { type Check, checkDeliveries, checkList, checkRate, checkReaders } from './src/checks.ts';
import { checkConsent } from './src/consent.ts';
import { follow } from './src/follow.ts';
import { checkPages, everybodyReads } from './src/reading.ts';
import { printChecks, printReport } from './src/report.ts';
import { checkReset, resetPassword } from './src/reset.ts';
import { startWorld } from './src/world.ts';

const { values } = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    count: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '200' },
  },
});
const count = Number(values.count);
const perSecond = Number(values.rate);
const began = performance.now();
const folder = await mkdtemp(join(tmpdir(), 'mail-relay-demo-'));
const checks: Check[] = [];

const world = await startWorld();
const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const publicUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const { app, relay } = createApp({
  publicUrl,
  database: join(folder, 'relay.db'),
  smtpUrl: world.url,
  rate: `${perSecond}/s`,
});
server.on('request', app);
await relay.start();
console.log(`\nThe application is on ${publicUrl}, an SMTP server that behaves like the world on ${world.url}\n`);

console.log(`Sending the newsletter to ${count} lines of recipients.csv, at most ${perSecond} a second`);
const campaign = follow(relay, 'spring', count);
const [list, reset] = await Promise.all([
  sendSpring(relay, count),
  campaign.halfway.then(() => resetPassword(publicUrl, world, campaign)),
]);
await campaign.finished(list.accepted);
console.log(`A password reset in the middle of it arrived after ${Math.round(reset.ms)} ms`);
checks.push(...checkList(list, count), checkReset(reset));

await pause(3000); // people take a moment to reach for their mail; who opens within two seconds is a machine
console.log('\nRecipients read: they open, follow links, and some unsubscribe');
const { readings, checks: mails } = await everybodyReads(relay, world, count);
const report = await relay.reports.campaign('spring');
checks.push(...mails, ...checkDeliveries(report, list, world, new Set([reset.address])));
checks.push(
  ...checkRate(campaign.startedAt, world.attemptsAt, perSecond),
  ...checkReaders(report, readings),
  ...campaign.check(report),
);
checks.push(...(await checkPages(relay, readings)), ...(await checkConsent(relay, world, readings)));

printReport(report, list);
const wrong = printChecks(checks);
console.log(`Took ${((performance.now() - began) / 1000).toFixed(1)} s.`);

if (values.keep) {
  const mail = readings.find(({ unsubscribed }) => !unsubscribed)?.mail;
  console.log(`
It stays up until Ctrl+C:
  application      ${publicUrl}
  health           ${publicUrl}/mail/health
  unsubscribe page ${mail?.oneClick}
  in the browser   ${mail?.links.find((link) => link.includes('/mail/v/'))}
  a tracked link   ${mail?.links.find((link) => link.includes('/mail/c/'))}
  database         ${join(folder, 'relay.db')}`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}

server.close();
server.closeAllConnections();
await relay.stop();
await world.close();
await rm(folder, { recursive: true, force: true });
process.exitCode = wrong === 0 ? 0 : 1;
