import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Keeps text that must not be read in the database, or in a copy of it: AES-256-GCM under the relay's secret. */
export interface Seal {
  /** @param what - what it is of: under another name it cannot be opened */
  close(text: string, what: string): string;
  /** Undefined where none of the secrets fits. `stale`: a secret that is not the first one fitted. */
  open(sealed: string, what: string): { readonly text: string; readonly stale: boolean } | undefined;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

/** @param secrets - the first closes, all open */
export function createSeal(secrets: readonly string[]): Seal {
  const keys = secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, 'mail-relay', 'seal', 32)));

  function openWith(key: Buffer, bytes: Buffer, what: string): string | undefined {
    try {
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(what)).setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString();
    } catch {
      return undefined;
    }
  }

  return {
    close(text, what) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, keys[0] as Buffer, iv, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(what));
      const body = Buffer.concat([cipher.update(text), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64');
    },
    open(sealed, what) {
      const bytes = Buffer.from(sealed, 'base64');
      for (const [index, key] of keys.entries()) {
        const text = openWith(key, bytes, what);
        if (text !== undefined) return { text, stale: index > 0 };
      }
      return undefined;
    },
  };
}
