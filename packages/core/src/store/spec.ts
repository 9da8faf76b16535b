import type { StoreSpec } from './port.ts';

/**
 * Keeps everything in one SQLite file.
 *
 * @param path - the file, made where it is missing, or `:memory:`. @default `.mail-relay/relay.db`
 */
export function sqlite(path = '.mail-relay/relay.db'): StoreSpec {
  return { kind: 'sqlite', path };
}
