import type { Database } from './database.ts';
import { stateCode } from './ledger.ts';
import { UNSENT } from './migrations/initial.ts';

/** Makes the question how many deliveries of each lane are being sent. */
export function createRunning(db: Database): () => { readonly lane_id: number; readonly n: number }[] {
  const sending = db.prepare((query) =>
    query
      .selectFrom('delivery')
      .select((row) => ['lane_id', row.fn.countAll<number>().as('n')])
      .where('state', '=', stateCode('sending'))
      .where(UNSENT)
      .groupBy('lane_id'),
  );
  return () => sending.all({});
}
