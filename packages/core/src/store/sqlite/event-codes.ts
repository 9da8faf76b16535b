import { EVENT_TYPES, NOTICE_TYPES, type SubscribedType } from '../../events.ts';

/** Storage codes of what is no event of a mail: from the last bit of `wanted` down, where no event type comes for long. */
const NOTICES = { alert: 30, warning: 29 } as const;
/** Storage code of an alert, and of a warning. */
export const NOTICE_CODES: { readonly [code: number]: keyof typeof NOTICES } = { 30: 'alert', 29: 'warning' };

/** Storage code of a type. */
export function codeOf(type: SubscribedType): number {
  return type === 'alert' || type === 'warning' ? NOTICES[type] : EVENT_TYPES.indexOf(type);
}

/** Type of a storage code. */
export function typeOf(code: number): SubscribedType {
  return EVENT_TYPES[code] ?? NOTICE_CODES[code] ?? 'failed';
}

/** Types as bits. */
export function bitsOf(types: readonly SubscribedType[]): number {
  return types.reduce((bits, type) => bits | (1 << codeOf(type)), 0);
}

/** Types out of their bits. */
export function typesOf(bits: number): SubscribedType[] {
  return [...EVENT_TYPES, ...NOTICE_TYPES].filter((type) => hasType(bits, codeOf(type)));
}

/** Whether a type, by its code, is among the bits. */
export function hasType(bits: number, code: number): boolean {
  return ((bits >> code) & 1) === 1;
}
