import { type Check, holds } from './checks.ts';
import type { Followed } from './follow.ts';
import { readMail } from './mail.ts';
import type { World } from './world.ts';

/** A transactional mail, sent in the middle of the campaign. */
export interface Reset {
  readonly address: string;
  /** From the request to the arrival at the SMTP server. */
  readonly ms: number;
  readonly subject: string;
  /** How many mails of the campaign had been sent when it arrived. */
  readonly ahead: number;
}

/** Asks the application for a new password, and waits for the mail. */
export async function resetPassword(publicUrl: string, world: World, campaign: Followed): Promise<Reset> {
  const address = 'ada@customers.example';
  const began = performance.now();
  const response = await fetch(`${publicUrl}/password-reset`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: address, firstName: 'Ada' }),
  });
  if (response.status !== 202) throw new Error(`/password-reset answered ${response.status}: ${await response.text()}`);
  const { mails, takenAt } = await world.arrival(address);
  const ahead = campaign.sent();
  const { subject } = await readMail(mails[0] as Buffer);
  return { address, ms: takenAt - began, subject, ahead };
}

/** The rate may be used up for a moment; behind the newsletter it would wait for seconds. */
const LONGEST_WAIT_MS = 1000;

/** It did not wait behind the newsletter. */
export function checkReset({ ms, subject, ahead }: Reset): Check {
  const detail = `"${subject}" after ${Math.round(ms)} ms, when ${ahead} newsletters had been sent`;
  return holds(
    'the password reset did not wait behind the newsletter',
    subject === 'Reset your password' && ms < LONGEST_WAIT_MS,
    detail,
  );
}
