import type { Suppression } from '../../store/port.ts';
import type { Fields } from './rows.ts';

/** What an entry of a list says, as text. */
export interface Said {
  readonly address: string | undefined;
  readonly reason?: Suppression['reason'] | undefined;
  /** Several where the provider keeps one entry for several kinds of mail. */
  readonly scopes?: readonly string[] | undefined;
  readonly evidence?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Why it is no entry for the list here. */
  readonly skip?: string | undefined;
}

/** A field as text; of several names the first that is there. */
export function textIn(fields: Fields, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = fields.get(name);
    if (typeof value === 'number' && Number.isFinite(value)) return String(value);
    if (typeof value === 'string' && value.trim() !== '') return value.trim();
  }
  return undefined;
}

/** Whether a field says yes. */
export const isYes = (value: unknown): boolean => value === true || /^(?:true|yes|1|oui)$/i.test(String(value ?? ''));
