import type { CampaignReport } from '@mailrelay/core';
import type { Accepted } from './campaign.ts';
import type { Check } from './checks.ts';

/** Prints the report of the campaign. */
export function printReport(report: CampaignReport, list: Accepted): void {
  const { rates, opens, clicks } = report;
  const rows: (readonly [label: string, value: string])[] = [
    ['accepted', `${report.accepted}`],
    ['rejected', `${list.rejected.length} lines`],
    ['sent', `${report.sent}   ${percent(rates.delivery)} of what was tried`],
    ['deferred', `${report.deferred}   sent at a later attempt, ${report.deferrals} deferrals in all`],
    ['bounced', `${report.bounced}   ${percent(rates.bounce)}`],
    [
      'opened',
      `${opens.human.unique}   ${percent(rates.open)}; ${opens.human.total} times, ${opens.total} with machines`,
    ],
    [
      'clicked',
      `${clicks.human.unique}   ${percent(rates.click)}; ${clicks.human.total} times, ${clicks.total} with machines`,
    ],
    ['unsubscribed', `${report.unsubscribed}   ${percent(rates.unsubscribe)}`],
  ];
  console.log(`\nReport of the campaign "${report.campaign}"\n`);
  for (const [label, value] of rows) console.log(`  ${label.padEnd(14)}${value}`);
  console.log('\n  Lines that were not accepted');
  for (const { line, recipient, code, message } of list.rejected) {
    console.log(`    line ${String(line).padStart(3)}  ${recipient.padEnd(36)}${code}: ${message}`);
  }
  console.log('\n  Top links                                                     readers  clicks');
  for (const { url, uniqueHuman, totalHuman } of report.links.slice(0, 8)) {
    console.log(
      `    ${url.slice(0, 58).padEnd(60)}${String(uniqueHuman).padStart(5)}${String(totalHuman).padStart(8)}`,
    );
  }
}

/** Prints the checks, and answers how many do not hold. */
export function printChecks(checks: readonly Check[]): number {
  console.log('\nEvery figure beside what the SMTP server and the readers saw\n');
  for (const { name, holds, detail } of checks)
    console.log(`  ${holds ? '✓' : '✗'} ${name}: ${detail.slice(0, holds ? 120 : 2000)}`);
  const wrong = checks.filter(({ holds }) => !holds).length;
  console.log(
    wrong === 0 ? `\nAll ${checks.length} checks hold.` : `\n${wrong} of ${checks.length} checks do not hold.`,
  );
  return wrong;
}

function percent(rate: number | undefined): string {
  return rate === undefined ? '-' : `${(rate * 100).toFixed(1)}%`;
}
