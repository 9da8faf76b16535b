/** What SpamAssassin says of mails, by its own rules alone: no network, no memory of other mails. */
import { spawn } from 'node:child_process';
import { findProgram } from '../support/programs.ts';

/** Whether it is here. */
export const hasSpamAssassin: boolean = findProgram('spamassassin') !== undefined;

/** What it says of one mail. */
export interface Verdict {
  readonly score: number;
  /** Names of the rules that the mail hits. */
  readonly rules: readonly string[];
}

/** What it says of mails, in one run: starting it takes longer than a mail. */
export async function spamVerdicts(mails: readonly string[]): Promise<Verdict[]> {
  const parameters = [
    '--local',
    '--test-mode',
    '--nocreate-prefs',
    '--mbox',
    '--cf=use_bayes 0',
    '--cf=fold_headers 0',
  ];
  const child = spawn(findProgram('spamassassin') as string, parameters, { stdio: ['pipe', 'pipe', 'inherit'] });
  const box = mails.map(
    (mail) => `From app@sender.test Thu Jan  1 00:00:00 1970\n${mail.replaceAll('\r\n', '\n')}\n\n`,
  );
  child.stdin.end(box.join(''), 'latin1');
  let out = '';
  for await (const chunk of child.stdout) out += chunk;
  return [...out.matchAll(/^X-Spam-Status: .*?score=(-?[\d.]+) .*?tests=(\S+)/gm)].map(([, score, rules = '']) => ({
    score: Number(score),
    rules: rules === 'none' ? [] : rules.split(','),
  }));
}
