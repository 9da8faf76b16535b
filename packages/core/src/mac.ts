import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
/** Longest message that is written into the buffer of the key, bytes. */
const SHORT_BYTES = 1024;

/** HMAC-SHA256 (RFC 2104) of one message, 32 bytes. */
export type Mac = (message: Uint8Array) => Buffer;

/**
 * Makes the HMAC of a key, from two hashes in one call each. The result is that of `createHmac`, which makes an object for
 * each message: for links, of which every mail has some, that is three quarters of the time. Digests cross from OpenSSL as
 * strings, which costs a quarter of a buffer.
 */
export function createMac(secret: Uint8Array): Mac {
  const key = Buffer.alloc(BLOCK_BYTES);
  key.set(secret.length > BLOCK_BYTES ? hash('sha256', secret, 'buffer') : secret);
  const inner = Buffer.alloc(BLOCK_BYTES + SHORT_BYTES);
  const outer = Buffer.alloc(BLOCK_BYTES + 32);
  for (let at = 0; at < BLOCK_BYTES; at++) {
    inner[at] = (key[at] as number) ^ 0x36;
    outer[at] = (key[at] as number) ^ 0x5c;
  }
  const innerOf = (message: Uint8Array): Uint8Array => {
    if (message.length > SHORT_BYTES) return Buffer.concat([inner.subarray(0, BLOCK_BYTES), message]);
    inner.set(message, BLOCK_BYTES);
    return inner.subarray(0, BLOCK_BYTES + message.length);
  };
  return (message) => {
    outer.write(hash('sha256', innerOf(message), 'binary'), BLOCK_BYTES, 'binary');
    return Buffer.from(hash('sha256', outer, 'binary'), 'binary');
  };
}
