/** Rules for what the host hands in. An error names what is wrong, and never shows its value: it may be a secret. */
import { MailRelayError } from './errors.ts';

/**
 * Checks one value that is given.
 *
 * @param place - how the host calls the value, such as `queue.leaseMs`
 * @throws MailRelayError `OPTIONS_INVALID`, or `OPTION_UNSUPPORTED` for a key that nobody reads.
 */
export type Rule = (value: unknown, place: string) => void;

/** Rules of the keys of an object, by name. */
export type Rules<T> = Readonly<Record<keyof T & string, Rule>>;

/** @throws MailRelayError `OPTIONS_INVALID` */
export function refuse(place: string, problem: string): never {
  throw new MailRelayError('OPTIONS_INVALID', { option: place, reason: `\`${place}\` ${problem}` });
}

/** A rule out of a question and what to say where the answer is no. */
export function rule(holds: (value: unknown) => boolean, problem: string): Rule {
  return (value, place) => {
    if (!holds(value)) refuse(place, problem);
  };
}

/** For values that are checked where they are read. */
export const anything: Rule = () => {};
export const flag: Rule = rule((value) => typeof value === 'boolean', 'must be true or false');
export const text: Rule = rule((value) => typeof value === 'string' && value !== '', 'must be text that is not empty');
export const callable: Rule = rule((value) => typeof value === 'function', 'must be a function');
export const date: Rule = rule((value) => value instanceof Date && !Number.isNaN(value.getTime()), 'must be a Date');
/** Milliseconds, as long as a timer can wait. */
export const milliseconds: Rule = rule(
  (value) => isNumber(value) && value > 0 && value < 2 ** 31,
  'must be a number over 0',
);

/** A whole number. */
export function whole(least: number, most: number = Number.MAX_SAFE_INTEGER): Rule {
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  return rule(
    (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
    `must be a whole number ${range}`,
  );
}

/** One of some texts. */
export function oneOf(allowed: readonly string[]): Rule {
  return rule((value) => allowed.some((one) => one === value), `must be one of ${allowed.join(', ')}`);
}

/** A list in which each item follows a rule. */
export function list(item: Rule): Rule {
  return (value, place) => {
    if (!Array.isArray(value)) refuse(place, 'must be a list');
    for (const [index, one] of Array.from(value as unknown[]).entries()) item(one, `${place}[${index}]`);
  };
}

/** An object with any keys, whose values follow a rule. */
export function record(item: Rule): Rule {
  return (value, place) => {
    if (!isObject(value)) refuse(place, 'must be an object');
    for (const [key, one] of Object.entries(value as object)) item(one, `${place}.${key}`);
  };
}

/**
 * An object with known keys. A key that nobody reads is refused, so that a typo is not taken for an option.
 *
 * @param needed - keys that must be there
 */
export function group<T>(rules: Rules<T>, needed: readonly (keyof T & string)[] = []): Rule {
  return (value, place) => {
    if (!isObject(value)) refuse(place, 'must be an object');
    const prefix = place === '' ? '' : `${place}.`;
    for (const [key, one] of Object.entries(value as object)) {
      if (!Object.hasOwn(rules, key)) throw unknownKey(prefix, key, Object.keys(rules));
      if (one !== undefined) rules[key as keyof T & string](one, prefix + key);
    }
    for (const key of needed)
      if ((value as Partial<Record<string, unknown>>)[key] === undefined) refuse(prefix + key, 'is missing');
  };
}

function unknownKey(prefix: string, key: string, known: readonly string[]): MailRelayError {
  return new MailRelayError('OPTION_UNSUPPORTED', {
    option: prefix + key,
    reason: `there is no option \`${prefix}${key}\`; known are ${known.join(', ')}`,
  });
}

/** Whether a value is an object, and no list. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
