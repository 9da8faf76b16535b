import { MailRelayError } from './errors.ts';

/** The oldest Node with what the relay needs of it, above all `node:sqlite` without a flag. */
const NEEDED = [22, 19] as const;

/**
 * @throws MailRelayError `NODE_TOO_OLD`, rather than a built-in module that is not there.
 */
export function checkNodeVersion(version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return;
  throw new MailRelayError('NODE_TOO_OLD', { version, reason: `this is Node ${version}` });
}
