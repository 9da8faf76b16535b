import type { MailRelay } from '@mailrelay/core';

export interface MailRelayService extends MailRelay {}

/**
 * The relay, under a class that can be injected by type and replaced in tests.
 *
 * @example
 * constructor(private readonly mail: MailRelayService) {}
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the class is only the token; what is injected is the relay
export abstract class MailRelayService {}
