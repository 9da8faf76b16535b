import { MailRelayError } from '../../errors.ts';
import type { Database } from './database.ts';
import { createRecent } from './recent.ts';

/** Texts that many events share, such as the program of a reader: each is stored once, and has a number. */
export interface Phrases {
  /** Number of a text; makes one where there is none. Inside of `write`. */
  idOf(text: string): number;
  /** @throws MailRelayError `STORE_CORRUPT` where there is none of that number */
  textOf(id: number): string;
}

const CACHED = 2000;

/** Phrases in SQLite. */
export function createPhrases(db: Database): Phrases {
  const findId = db.prepare((query, { text }: { text: string }) =>
    query.selectFrom('phrase').select('id').where('text', '=', text),
  );
  const findText = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('phrase').select('text').where('id', '=', id),
  );
  const insert = db.prepare((query, { text }: { text: string }) => query.insertInto('phrase').values({ text }));
  const ids = createRecent<string, number>(CACHED);
  const texts = createRecent<number, string>(CACHED);
  db.onRollback(() => {
    ids.clear();
    texts.clear();
  });

  return {
    idOf(text) {
      const known = ids.get(text);
      if (known !== undefined) return known;
      const id = db.asTheyAre(() => findId.get({ text }))?.id ?? insert.insert({ text });
      ids.set(text, id);
      return id;
    },
    textOf(id) {
      const known = texts.get(id);
      if (known !== undefined) return known;
      const text = db.asTheyAre(() => findText.get({ id }))?.text;
      if (text === undefined) {
        throw new MailRelayError('STORE_CORRUPT', { row: `phrase ${id}`, reason: `phrase ${id} is gone` });
      }
      texts.set(id, text);
      return text;
    },
  };
}
