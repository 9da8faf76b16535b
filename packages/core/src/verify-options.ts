/** How routes are tried without a mail. */
export interface VerifyOptions {
  /**
   * A domain whose mail servers `directMx()` goes to, up to QUIT, from each of its local addresses: an address literal, too,
   * where the route sends to such. @default none: it connects nowhere
   */
  readonly domain?: string | undefined;
}
