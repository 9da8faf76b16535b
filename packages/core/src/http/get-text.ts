/** Longest text, bytes; a certificate has two thousand. */
const MAX_BYTES = 65_536;
const TIMEOUT_MS = 5000;

/**
 * Gets a text over https. Where the URL may lead is decided by who calls; a redirect would lead elsewhere, and is refused.
 *
 * @throws Error for all but an answer with a 2xx status that is short and in time
 */
export async function getText(url: string): Promise<string> {
  if (!/^https:\/\//i.test(url)) throw new Error('only https is asked');
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop ends the request.
    if (bytes > MAX_BYTES) throw new Error(`${new URL(url).host} answers with more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  if (!response.ok) throw new Error(`${new URL(url).host} answers with ${response.status}`);
  return Buffer.concat(chunks).toString('utf8');
}
