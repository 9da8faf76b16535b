import { sql } from 'kysely';
import { BLOB_KINDS, type BlobKind, type BlobStore } from '../port.ts';
import type { Database } from './database.ts';

/** Tells apart what came in the same ms. */
const insertion = sql<number>`rowid`;

/** Puts bytes into the store, inside of `write`; an existing key stays as it is. */
export type KeepBlob = (kind: BlobKind, key: string, bytes: Uint8Array) => void;

const code = (kind: BlobKind): number => BLOB_KINDS.indexOf(kind);

/** Bytes on their way into SQLite. */
export function createKeepBlob(db: Database): KeepBlob {
  const insert = db.prepare((query, p: { kind: number; key: string; at: number; bytes: Uint8Array }) =>
    query
      .insertInto('blob')
      .values({ kind: p.kind, key: p.key, at: p.at, bytes: p.bytes })
      .onConflict((conflict) => conflict.doNothing()),
  );
  return (kind, key, bytes) => void insert.run({ kind: code(kind), key, at: Date.now(), bytes });
}

/** Bytes by name, in SQLite. */
export function createBlobs(db: Database): BlobStore {
  const keep = createKeepBlob(db);
  const find = db.prepare((query, p: { kind: number; key: string }) =>
    query.selectFrom('blob').select('bytes').where('kind', '=', p.kind).where('key', '=', p.key),
  );
  const has = db.prepare((query, p: { kind: number; key: string }) =>
    query.selectFrom('blob').select('at').where('kind', '=', p.kind).where('key', '=', p.key),
  );
  const newest = db.prepare((query, p: { kind: number; limit: number }) =>
    query
      .selectFrom('blob')
      .select((row) => ['key', 'at', row.fn<number>('length', ['bytes']).as('bytes')])
      .where('kind', '=', p.kind)
      .orderBy('at', 'desc')
      .orderBy(insertion, 'desc')
      .limit(p.limit),
  );
  const removeOlder = db.prepare((query, p: { kind: number; keep: number }) =>
    query
      .deleteFrom('blob')
      .where('kind', '=', p.kind)
      .where('key', 'not in', (kept) =>
        kept
          .selectFrom('blob')
          .select('key')
          .where('kind', '=', p.kind)
          .orderBy('at', 'desc')
          .orderBy(insertion, 'desc')
          .limit(p.keep),
      ),
  );

  return {
    get: async (kind, key) => find.get({ kind: code(kind), key })?.bytes,
    has: async (kind, key) => has.get({ kind: code(kind), key }) !== undefined,
    put: (kind, key, bytes) => db.write(() => keep(kind, key, bytes)),
    list: async (kind, limit) => newest.all({ kind: code(kind), limit }),
    trim: (kind, keep) => db.write(() => void removeOlder.run({ kind: code(kind), keep })),
  };
}
