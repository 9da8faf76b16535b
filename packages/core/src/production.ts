import { ERRORS, type ErrorCode, MailRelayError } from './errors.ts';

/** What production does not start without: the option, its code, and whether it is there. */
export type Needed = readonly [option: string, code: ErrorCode, given: boolean];

/**
 * Names everything that is missing at once.
 *
 * @throws MailRelayError with the code of the first; `details.missing` has all.
 */
export function checkNeeded(needed: readonly Needed[]): void {
  const missing = needed.filter(([, , given]) => !given);
  const [first, ...more] = missing;
  if (first === undefined) return;
  const [option, code] = first;
  const also = more.map(([, other]) => ERRORS[other].message.replace(/^Production needs /, '')).join('; and ');
  throw new MailRelayError(code, {
    option,
    missing: missing.map(([name]) => name),
    ...(also === '' ? {} : { reason: `and ${also}` }),
  });
}
