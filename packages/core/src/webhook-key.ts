/** Bytes of a key (Standard Webhooks: 24 to 64). */
const LEAST = 24;
const MOST = 64;

/** The key in a secret `whsec_…`, base64 behind the prefix; undefined where it is none. */
export function keyOf(secret: string): Buffer | undefined {
  const text = secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : '';
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const key = Buffer.from(text, 'base64');
  return key.length >= LEAST && key.length <= MOST ? key : undefined;
}
