import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { storeSuite } from './suite/index.ts';

storeSuite('sqlite', async () => {
  const store = createSqliteStore({ path: ':memory:', messageIdOf: () => '<1@example.com>' });
  await store.open();
  return store;
});
