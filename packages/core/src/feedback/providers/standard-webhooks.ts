import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HookRequest, HookVerdict } from './provider.ts';
import { isFresh } from './window.ts';

/** Five minutes, as the specification has it: each attempt is signed anew. */
export const STANDARD_WINDOW_MS = 300_000;

/** The key in a secret such as `whsec_…`: base64 behind the prefix. Undefined for what is too short to be one. */
export function standardKey(secret: string): Buffer | undefined {
  const text = secret.replace(/^whsec_/, '');
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return undefined;
  const key = Buffer.from(text, 'base64');
  return key.length >= 16 ? key : undefined;
}

/** Standard Webhooks, and Svix, whose headers have another prefix: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export function verifyStandard(
  request: HookRequest,
  { keys, now, windowMs }: { readonly keys: readonly Uint8Array[]; readonly now: number; readonly windowMs: number },
): HookVerdict {
  const prefix = request.header('svix-id') === undefined ? 'webhook' : 'svix';
  const id = request.header(`${prefix}-id`);
  const timestamp = request.header(`${prefix}-timestamp`);
  const given = request.header(`${prefix}-signature`);
  if (id === undefined || timestamp === undefined || given === undefined)
    return { ok: false, because: 'it has no id, timestamp and signature' };
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), request.body]);
  const right = keys.map((key) => createHmac('sha256', key).update(signed).digest());
  // Several signatures stand there while a secret is changed.
  const signatures = given.split(/\s+/).slice(0, 20);
  const fits = signatures.flatMap((one) => {
    const text = /^v1,([A-Za-z0-9+/=]{1,100})$/.exec(one)?.[1];
    const bytes = text === undefined ? undefined : Buffer.from(text, 'base64');
    return right.map((own) => bytes?.length === own.length && timingSafeEqual(bytes, own));
  });
  if (!fits.includes(true)) return { ok: false, because: 'its signature is not by the secret of the options' };
  if (!isFresh(timestamp, now, windowMs))
    return { ok: false, because: 'it was signed too long ago, or one of the clocks is wrong' };
  return { ok: true };
}
