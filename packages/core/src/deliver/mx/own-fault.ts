import type { RouteFault } from '../port.ts';
import type { SmtpFailure } from '../smtp/failure.ts';

/** What the system told of a connection that it did not even begin. */
export interface Unbegun {
  readonly code: string | undefined;
  /** `bind` to a local address, or `connect`. */
  readonly syscall: string | undefined;
}

/** There is no way to one address, or to addresses of its kind (IPv4, IPv6); others may be reached. */
const OF_ADDRESS = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']);

/**
 * How this machine is at fault for a failure; undefined where it is not. The same codes come from the network as well, where
 * a router says so: those are the receiver's.
 */
export function ownFault(failure: SmtpFailure): Extract<RouteFault, 'machine' | 'unreachable'> | undefined {
  const { unbegun } = failure.error as { readonly unbegun?: Unbegun };
  if (unbegun === undefined) return undefined;
  const ofAddress = unbegun.syscall !== 'bind' && OF_ADDRESS.has(unbegun.code ?? '');
  return ofAddress ? 'unreachable' : 'machine';
}

/** Whether this machine does not have the local address. */
export function lacksAddress({ error }: SmtpFailure): boolean {
  return (error as { readonly unbegun?: Unbegun }).unbegun?.syscall === 'bind';
}
