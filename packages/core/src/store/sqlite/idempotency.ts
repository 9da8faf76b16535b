import { MailRelayError } from '../../errors.ts';
import type { Database } from './database.ts';

/** Which message an idempotency key has made. Inside of `write`. */
export interface Idempotency {
  /** The message that the key made before. @throws MailRelayError `IDEMPOTENCY_CONFLICT` where it had other content */
  earlier(key: string | undefined, hash: string): number | undefined;
  remember(key: string | undefined, hash: string, id: number, now: number): void;
}

/** Idempotency keys in SQLite. */
export function createIdempotency(db: Database): Idempotency {
  const findKey = db.prepare((query, { key }: { key: string }) =>
    query.selectFrom('idempotency').select(['hash', 'message_id']).where('key', '=', key),
  );
  const insertKey = db.prepare((query, p: { key: string; hash: string; messageId: number; now: number }) =>
    query.insertInto('idempotency').values({ key: p.key, hash: p.hash, message_id: p.messageId, created_at: p.now }),
  );

  function earlier(key: string | undefined, hash: string): number | undefined {
    if (key === undefined) return undefined;
    const row = findKey.get({ key });
    if (row === undefined) return undefined;
    if (row.hash !== hash)
      throw new MailRelayError('IDEMPOTENCY_CONFLICT', {
        idempotencyKey: key,
        reason: `the key ${key} belongs to another message`,
      });
    return row.message_id;
  }

  function remember(key: string | undefined, hash: string, id: number, now: number): void {
    if (key !== undefined) insertKey.run({ key, hash, messageId: id, now });
  }

  return { earlier, remember };
}
