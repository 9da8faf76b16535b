/** Local addresses to send from, by stream. */
export interface LocalAddressPools {
  /** Of transactional mail. @default any */
  readonly transactional?: readonly string[] | undefined;
  /** Of broadcast mail. @default any */
  readonly broadcast?: readonly string[] | undefined;
}

/** Ports of `directMx()`. */
export interface DirectMxPorts {
  /** Where mail servers listen. @default 25 */
  readonly smtp?: number | undefined;
  /** Where MTA-STS policies are served. @default 443 */
  readonly https?: number | undefined;
}

/** How `directMx()` asks the DNS. */
export interface DnsOptions {
  /** Name servers, as `address` or `address:port`. @default those of the machine */
  readonly servers?: readonly string[] | undefined;
  /** Waiting for an answer, the first time. @default 5000 */
  readonly timeoutMs?: number | undefined;
  /** How often each server is asked. @default 3 */
  readonly tries?: number | undefined;
}

/** What `directMx()` takes beside what all routes take. */
export interface DirectMxSettings {
  /** Name in EHLO: the full name of this machine (RFC 5321 section 4.1.1.1), which its addresses' PTR records lead to. */
  readonly hostname: string;
  /**
   * Addresses of this machine to send from: for all mail, or by stream. A delivery keeps the address for all its attempts. A
   * server is reached over IPv4 or IPv6 only where there is a local address of that kind.
   * @default what the system chooses
   */
  readonly localAddresses?: readonly string[] | LocalAddressPools | undefined;
  /** Other ports than the usual ones, for tests and closed networks. */
  readonly ports?: DirectMxPorts | undefined;
  /** How to ask the DNS. */
  readonly dns?: DnsOptions | undefined;
  /** Follow the MTA-STS policies of recipient domains (RFC 8461). @default true */
  readonly mtaSts?: boolean | undefined;
  /** Certificates of authorities to trust instead of the well-known ones where MTA-STS asks for trust, PEM. */
  readonly ca?: string | undefined;
  /** Send to servers with private, loopback and other special addresses. @default false */
  readonly allowPrivateAddresses?: boolean | undefined;
  /** Send to recipients such as `ada@[192.0.2.1]`. @default false */
  readonly allowAddressLiterals?: boolean | undefined;
  /** Mails on connections at once, over all sites, at least 1. @default 100 */
  readonly connections?: number | undefined;
  /**
   * Connections at once to one site (who hosts the mail of domains) from one local address, at least 1; with `shaping: false` to
   * one set of MX hosts.
   * @default 5
   */
  readonly connectionsPerSite?: number | undefined;
  /** Mails before a connection is replaced. @default 100 */
  readonly maxMessagesPerConnection?: number | undefined;
  /** An unused connection is closed after this time. @default 5000 */
  readonly idleMs?: number | undefined;
  /** Waiting for the connection to one address. @default 10000 */
  readonly connectionTimeoutMs?: number | undefined;
  /** Waiting for the greeting. @default 30000 */
  readonly greetingTimeoutMs?: number | undefined;
  /** Silence in the middle of a conversation. @default 120000 */
  readonly socketTimeoutMs?: number | undefined;
  /** An address that did not answer is left alone for this time. @default 300000 */
  readonly deadHostMs?: number | undefined;
}
