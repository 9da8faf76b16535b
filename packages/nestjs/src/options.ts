import type { MailRelayOptions, StopOptions } from '@mailrelay/core';
import { MailRelayError } from '@mailrelay/core';

/** Options of the module: those of the relay, and what belongs to the application around it. */
export interface MailRelayModuleOptions extends MailRelayOptions {
  /**
   * Whether the relay mounts its routes itself; otherwise `mailRelayHandler(app)` does, in `main.ts`.
   * @default true
   */
  readonly autoMount?: boolean;
  /**
   * How to stop with the application: with `drain`, what is due is sent first. What is not in time goes out after the next
   * start.
   * @default `{ drain: true, timeoutMs: 10000 }`
   */
  readonly stop?: StopOptions;
}

/** What stands beside the options, also in `forRootAsync()`: it is known before anything is injected. */
export interface MailRelayModuleExtras {
  /** Name of the relay, where an application has several. */
  readonly name?: string | undefined;
  /**
   * Whether every module can inject the relay without importing this one.
   * @default true
   */
  readonly isGlobal?: boolean;
}

/** What a class for `forRootAsync({ useClass })` implements. */
export interface MailRelayOptionsFactory {
  createMailRelayOptions(): MailRelayModuleOptions | Promise<MailRelayModuleOptions>;
}

/** The path that a relay serves: a named one has its own. */
export function pathOf({ path }: MailRelayModuleOptions, name: string | undefined): string {
  return path ?? (name === undefined ? '/mail' : `/mail-${name}`);
}

/** @throws MailRelayError `OPTIONS_INVALID` */
export function checkObject(given: unknown, option: string): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) refuse(option, 'must be an object');
}

/**
 * Else they would be looked at when the application stops, and keep it from stopping.
 *
 * @throws MailRelayError `OPTIONS_INVALID`
 */
export function checkStop(stop: StopOptions): void {
  checkObject(stop, 'stop');
  const { drain, timeoutMs, ...others } = stop;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) refuse(`stop.${unknown}`, 'is not one of drain, timeoutMs');
  if (drain !== undefined && typeof drain !== 'boolean') refuse('stop.drain', 'must be true or false');
  const isTime = typeof timeoutMs === 'number' && timeoutMs >= 0 && timeoutMs < 2 ** 31;
  if (timeoutMs !== undefined && !isTime) refuse('stop.timeoutMs', 'must be a number of ms');
}

/** @throws MailRelayError `OPTIONS_INVALID` */
export function refuse(option: string, says: string): never {
  throw new MailRelayError('OPTIONS_INVALID', { option, reason: `\`${option}\` ${says}` });
}
