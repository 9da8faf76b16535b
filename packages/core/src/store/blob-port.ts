/** Bytes by name: compiled templates, attachments, captured mail. */
export interface BlobStore {
  get(kind: BlobKind, key: string): Promise<Uint8Array | undefined>;
  /** Keeps bytes under a key; an existing key stays as it is. */
  put(kind: BlobKind, key: string, bytes: Uint8Array): Promise<void>;
  has(kind: BlobKind, key: string): Promise<boolean>;
  /** Newest first. */
  list(kind: BlobKind, limit: number): Promise<{ readonly key: string; readonly at: number; readonly bytes: number }[]>;
  /** Removes all but the newest. */
  trim(kind: BlobKind, keep: number): Promise<void>;
}

/** What a blob is. The order is the storage code: append only. */
export const BLOB_KINDS = ['template', 'attachment', 'captured'] as const;
/** What a blob is. */
export type BlobKind = (typeof BLOB_KINDS)[number];
