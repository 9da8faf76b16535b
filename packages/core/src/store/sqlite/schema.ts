/** Schema versions, oldest first. A version is never changed once it is published; `PRAGMA user_version` counts them. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE content (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, json TEXT NOT NULL);
  CREATE TABLE campaign (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE lane (id INTEGER PRIMARY KEY, route TEXT NOT NULL, stream INTEGER NOT NULL, paused INTEGER NOT NULL DEFAULT 0, UNIQUE (route, stream));
  CREATE TABLE message (
    id INTEGER PRIMARY KEY, content_id INTEGER NOT NULL, campaign_id INTEGER, lane_id INTEGER NOT NULL,
    send_at INTEGER, created_at INTEGER NOT NULL, extra TEXT
  );
  CREATE INDEX message_campaign ON message (campaign_id) WHERE campaign_id IS NOT NULL;
  CREATE TABLE delivery (
    id INTEGER PRIMARY KEY, message_id INTEGER NOT NULL, lane_id INTEGER NOT NULL, recipient TEXT NOT NULL COLLATE NOCASE, kind INTEGER NOT NULL,
    state INTEGER NOT NULL, flags INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
    accepted_at INTEGER NOT NULL, due_at INTEGER, updated_at INTEGER NOT NULL, sent_at INTEGER, owner INTEGER, reason TEXT, data TEXT
  );
  CREATE UNIQUE INDEX delivery_message ON delivery (message_id, recipient);
  CREATE INDEX delivery_recipient ON delivery (recipient);
  CREATE INDEX delivery_due ON delivery (lane_id, due_at, id) WHERE due_at IS NOT NULL;
  CREATE INDEX delivery_owner ON delivery (owner) WHERE owner IS NOT NULL;
  CREATE TABLE event (id INTEGER PRIMARY KEY, delivery_id INTEGER NOT NULL, type INTEGER NOT NULL, at INTEGER NOT NULL, detail TEXT);
  CREATE INDEX event_delivery ON event (delivery_id);
  CREATE TABLE suppression (
    address TEXT NOT NULL, scope TEXT NOT NULL, reason TEXT NOT NULL, evidence TEXT, since INTEGER NOT NULL, PRIMARY KEY (address, scope)
  ) WITHOUT ROWID;
  CREATE TABLE idempotency (key TEXT PRIMARY KEY, hash TEXT NOT NULL, message_id INTEGER NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE report (scope INTEGER NOT NULL, day INTEGER NOT NULL, metric INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (scope, day, metric)) WITHOUT ROWID;
  CREATE TABLE link (
    campaign_id INTEGER NOT NULL, url TEXT NOT NULL, total INTEGER NOT NULL, unique_n INTEGER NOT NULL,
    total_human INTEGER NOT NULL, unique_human INTEGER NOT NULL, PRIMARY KEY (campaign_id, url)
  ) WITHOUT ROWID;
  CREATE TABLE blob (kind INTEGER NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (kind, key));
  CREATE INDEX blob_at ON blob (kind, at);
  CREATE TABLE owner (id INTEGER PRIMARY KEY AUTOINCREMENT, pid INTEGER NOT NULL, host TEXT NOT NULL, beat_at INTEGER NOT NULL);
  CREATE TABLE rate_start (route TEXT NOT NULL, bucket_end INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (route, bucket_end)) WITHOUT ROWID;
  `,
];
