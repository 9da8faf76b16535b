import { domainOf } from '../address.ts';
import { mayBeAligned } from '../alignment.ts';
import type { RouteSpec } from '../deliver/port.ts';
import { providerOf } from '../deliver/providers/table.ts';
import type { HostApi } from '../thread/port.ts';

/** Tells of senders whose envelope sender receivers hold nothing for: each domain once. */
export interface ReturnPaths {
  note(route: string, from: string, envelopeFrom: string): void;
}

/** Domains that are told of; with more, what has to be mended is known. */
const MOST_TOLD = 100;

/**
 * Looks at the mails that leave. Whether SPF counts for their sender (RFC 7489 section 3.1.2, RFC 9989 section 4.4) is judged by
 * names, without DNS; providers with a preset put an envelope sender of their own in place of ours.
 */
export function createReturnPaths(routes: readonly RouteSpec[], log: HostApi['log']): ReturnPaths {
  const replaced = new Set(routes.filter((route) => providerOf(route) !== undefined).map(({ name }) => name));
  const told = new Set<string>();
  return {
    note(route, from, envelopeFrom) {
      const sender = domainOf(from);
      const returnPath = domainOf(envelopeFrom);
      if (sender === returnPath || replaced.has(route) || told.size >= MOST_TOLD || told.has(sender)) return;
      if (mayBeAligned(sender, returnPath)) return;
      told.add(sender);
      log(
        'warn',
        { from: sender, returnPath },
        'the envelope sender is of another organisation than From: SPF counts for nothing in DMARC',
      );
    },
  };
}
