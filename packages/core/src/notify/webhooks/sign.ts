import { createHmac } from 'node:crypto';

/** What is signed: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export interface Signed {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly body: string;
}

/** The headers of a Standard Webhook: one signature for each key, so that a secret can be changed without a gap. */
export function signedHeaders({ id, timestamp, body }: Signed, keys: readonly Uint8Array[]): Record<string, string> {
  const signatures = keys.map((key) => createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64'));
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.map((signature) => `v1,${signature}`).join(' '),
  };
}
