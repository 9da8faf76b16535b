import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Compilable, DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type { Tables } from './tables.ts';

/** What SQLite takes and gives. */
export type Value = string | number | null | Uint8Array;

/** Builds queries; runs none. */
export type Query = Kysely<Tables>;

/** A query that is built once and prepared once; its parameters are named by the function that builds it. */
export interface Prepared<P, R> {
  all(parameters: P): R[];
  get(parameters: P): R | undefined;
  /** Answers the number of rows that changed. */
  run(parameters: P): number;
  /** Inserts a row that is not there, and answers its number; cheaper than `returning`. */
  insert(parameters: P): number;
}

class Parameter {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

const query: Query = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

const named = new Proxy({}, { get: (_, name) => new Parameter(String(name)) });

/**
 * Kysely writes the SQL; `node:sqlite` runs it at once. `handle` answers the open database, `guard` names its errors, and
 * `settle` brings the tables up to date before a query.
 */
export function createStatements(handle: () => DatabaseSync, guard: <T>(task: () => T) => T, settle: () => void) {
  return {
    /**
     * A query that runs often: `prepare((query, p: { id: number }) => query.selectFrom('delivery')…where('id', '=', p.id))`.
     * One that is `early` may find tables that lack what the journal still has.
     */
    prepare<P extends object, R>(
      build: (query: Query, parameters: P) => Compilable<R>,
      { early = false }: { readonly early?: boolean } = {},
    ): Prepared<P, R> {
      let statement: StatementSync | undefined;
      let preparedBy: DatabaseSync | undefined;
      let slots: readonly unknown[] = [];
      function ready(): StatementSync {
        if (!early) settle();
        const db = handle();
        if (statement === undefined || preparedBy !== db) {
          const compiled = build(query, named as P).compile();
          slots = compiled.parameters;
          statement = db.prepare(compiled.sql);
          preparedBy = db;
        }
        return statement;
      }
      const bind = (parameters: P): Value[] =>
        slots.map((slot) => (slot instanceof Parameter ? parameters[slot.name as keyof P] : slot) as Value);
      return {
        all: (parameters) => guard(() => ready().all(...bind(parameters)) as R[]),
        get: (parameters) => guard(() => ready().get(...bind(parameters)) as R | undefined),
        run: (parameters) => guard(() => Number(ready().run(...bind(parameters)).changes)),
        insert: (parameters) => guard(() => Number(ready().run(...bind(parameters)).lastInsertRowid)),
      };
    },
    /** A query that differs each time. */
    select<R>(build: (query: Query) => Compilable<R>): R[] {
      return guard(() => {
        settle();
        const { sql, parameters } = build(query).compile();
        return handle()
          .prepare(sql)
          .all(...(parameters as Value[])) as R[];
      });
    },
  };
}

/** Prepares and runs queries. */
export type Statements = ReturnType<typeof createStatements>;
