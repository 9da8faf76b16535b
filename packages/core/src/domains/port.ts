/** What is known of sending domains, and what they should publish. */
import type { DkimAlgorithm } from '../dkim-key.ts';

/** A DNS record to publish. */
export interface DnsRecord {
  readonly type: 'TXT' | 'MX' | 'PTR' | 'A' | 'AAAA';
  readonly name: string;
  readonly value: string;
}

/** A record of text. */
export interface TextRecord extends DnsRecord {
  readonly type: 'TXT';
  /** The value in the strings of at most 255 bytes that DNS has room for (RFC 1035 section 3.3.14); readers join them. */
  readonly strings: readonly string[];
  /** The record as zone files have it. */
  readonly zone: string;
}

/** A file to serve on the web, which a record announces. */
export interface PolicyFile {
  /** Where it is looked for: over https, with a certificate for the host, and without a redirect. */
  readonly url: string;
  /** The whole file, `text/plain`, each line with a line feed. */
  readonly text: string;
}

/** A new key and its record. */
export interface CreatedKey {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: DkimAlgorithm;
  /** PEM (PKCS #8). Keep it secret: it is nowhere else. */
  readonly privateKey: string;
  readonly record: TextRecord;
}

/**
 * Looks up DNS, with the methods and errors of `node:dns/promises`: `ENOTFOUND` and `ENODATA` say that there is nothing, any
 * other error that nobody knows.
 */
export interface DomainResolver {
  resolveTxt(name: string): Promise<string[][]>;
  resolveMx(name: string): Promise<{ exchange: string; priority: number }[]>;
  resolve4(name: string): Promise<string[]>;
  resolve6(name: string): Promise<string[]>;
  reverse(address: string): Promise<string[]>;
}

/** What a finding is about. */
export type DomainTopic = 'spf' | 'dkim' | 'dmarc' | 'mx' | 'mta-sts' | 'return-path' | 'ptr';

/** One thing that was looked at. */
export interface DomainFinding {
  readonly topic: DomainTopic;
  /** Where it was looked for. */
  readonly name: string;
  /** `problem`: mail suffers; `advice`: it could be better; `unknown`: DNS did not answer, so ask again. */
  readonly status: 'ok' | 'advice' | 'problem' | 'unknown';
  /** Stable word for what was found, such as `spf-missing`. */
  readonly code: string;
  /** The records as they are. */
  readonly found: readonly string[];
  /** What that means, in words; of a problem or advice without `publish` also what else there is to do. */
  readonly says: string;
  /** The record to publish, in place of those in `found`; an address beside others that its host has. */
  readonly publish?: DnsRecord | undefined;
  /** The file to serve before the record is published: the policy of MTA-STS (RFC 8461 section 3.2). */
  readonly policy?: PolicyFile | undefined;
}

/** Answer of `relay.domains.check()`. */
export interface DomainReport {
  readonly domain: string;
  /** Nothing is a problem, and everything could be looked up. */
  readonly ok: boolean;
  readonly findings: readonly DomainFinding[];
}
