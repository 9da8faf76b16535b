import type { Database } from './database.ts';

/** Where subscriptions find the events that they want, in the order of their commits. */
export interface Feed {
  /** Notes an event, where a subscription wants its type. Inside of `write`, with an id that this transaction gave away. */
  note(id: number, deliveryId: number, type: number): void;
}

/**
 * The feed in SQLite. Ids are given away inside of transactions, of which there is one at a time, so that whoever has read up
 * to an id can go on from there: nothing is committed later with a smaller one.
 */
export function createFeed(db: Database): Feed {
  const insert = db.prepare((query, p: { id: number; deliveryId: number; type: number }) =>
    query.insertInto('feed').values({ id: p.id, delivery_id: p.deliveryId, type: p.type }),
  );
  return {
    note(id, deliveryId, type) {
      if (((db.wanted() >> type) & 1) === 1) insert.run({ id, deliveryId, type });
    },
  };
}
