/** Rules for what the host hands in. A problem names what is wrong, and never shows its value: it may be a secret. */
import { MailRelayError } from './errors.ts';

/** What is wrong with a value. */
export interface Problem {
  /** How the host calls the value, such as `queue.leaseMs`. */
  readonly place: string;
  /** The end of a sentence that begins with the place. */
  readonly says: string;
  /** True for a key that nobody reads. */
  readonly unknown: boolean;
}

/** Looks at one value that is given. */
export type Rule = (value: unknown, place: string) => Problem | undefined;

/** Rules of the keys of an object, by name. */
export type Rules<T> = Readonly<Record<keyof T & string, Rule>>;

/**
 * Checks an option, or an argument of a call.
 *
 * @throws MailRelayError `OPTIONS_INVALID`, or `OPTION_UNSUPPORTED` for a key that nobody reads.
 */
export function check(rule: Rule, value: unknown, place: string): void {
  const problem = rule(value, place);
  if (problem === undefined) return;
  const code = problem.unknown ? 'OPTION_UNSUPPORTED' : 'OPTIONS_INVALID';
  throw new MailRelayError(code, { option: problem.place, reason: `\`${problem.place}\` ${problem.says}` });
}

/** @throws MailRelayError `OPTIONS_INVALID` */
export function refuse(place: string, says: string): never {
  throw new MailRelayError('OPTIONS_INVALID', { option: place, reason: `\`${place}\` ${says}` });
}

/** A rule out of a question, and what to say where the answer is no. */
export function rule(holds: (value: unknown) => boolean, says: string): Rule {
  return (value, place) => (holds(value) ? undefined : { place, says, unknown: false });
}

/** For values that are checked where they are read. */
export const anything: Rule = () => undefined;
export const object: Rule = rule(isObject, 'must be an object');
export const flag: Rule = rule((value) => typeof value === 'boolean', 'must be true or false');
export const text: Rule = rule((value) => typeof value === 'string' && value !== '', 'must be text that is not empty');
/** Text that is stored as it is. */
export function textUpTo(most: number): Rule {
  return rule(
    (value) => typeof value === 'string' && value !== '' && value.length <= most,
    `must be text of 1 to ${most} characters`,
  );
}
export const anyText: Rule = rule((value) => typeof value === 'string', 'must be text');
export const callable: Rule = rule((value) => typeof value === 'function', 'must be a function');
export const date: Rule = rule((value) => value instanceof Date && !Number.isNaN(value.getTime()), 'must be a Date');
export const positive: Rule = rule((value) => isNumber(value) && value > 0, 'must be a number over 0');
/** Milliseconds that a timer can wait. */
export const milliseconds: Rule = rule(
  (value) => isNumber(value) && value > 0 && value < 2 ** 31,
  'must be a number over 0 and below 2147483648',
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

/** A value that follows one rule where it is of a kind, and else another. */
export function either(isOfKind: (value: unknown) => boolean, first: Rule, second: Rule): Rule {
  return (value, place) => (isOfKind(value) ? first : second)(value, place);
}

/** A list in which each item follows a rule. */
export function list(item: Rule, most: number = Number.POSITIVE_INFINITY): Rule {
  return (value, place) => {
    if (!Array.isArray(value)) return { place, says: 'must be a list', unknown: false };
    if (value.length > most) return { place, says: `must have at most ${most} items`, unknown: false };
    // By number, since gaps count as items.
    for (let index = 0; index < value.length; index++) {
      const problem = item(value[index], `${place}[${index}]`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
}

/** An object with any keys, whose values follow a rule. */
export function record(item: Rule): Rule {
  return (value, place) => {
    if (!isObject(value)) return { place, says: 'must be an object', unknown: false };
    for (const [key, one] of Object.entries(value)) {
      const problem = item(one, `${place}.${key}`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
}

/** What a group says beside its rules. */
interface GroupOptions {
  /** Keys that must be there. */
  readonly needed?: readonly string[];
  /** What to do instead, for keys that people bring from elsewhere. */
  readonly advice?: Readonly<Record<string, string>>;
  /** What the whole is called where it has no place. @default options */
  readonly called?: string;
}

/** An object with known keys. A key that nobody reads is refused, so that a typo is not taken for an option. */
export function group<T>(rules: Rules<T>, { needed = [], advice = {}, called = 'options' }: GroupOptions = {}): Rule {
  const known = new Map<string, Rule>(Object.entries(rules));
  const unread = (place: string, key: string): Problem => {
    const others = known.size === 0 ? 'there are no options' : `it is not one of ${[...known.keys()].join(', ')}`;
    const hint = Object.hasOwn(advice, key) ? advice[key] : others;
    return { place, says: `is not supported: ${hint}`, unknown: true };
  };
  return (value, place) => {
    if (!isObject(value)) return { place: place === '' ? called : place, says: 'must be an object', unknown: false };
    const prefix = place === '' ? '' : `${place}.`;
    for (const [key, one] of Object.entries(value)) {
      if (one === undefined) continue;
      const look = known.get(key);
      if (look === undefined) return unread(prefix + key, key);
      const problem = look(one, prefix + key);
      if (problem !== undefined) return problem;
    }
    for (const key of needed)
      if ((value as Readonly<Record<string, unknown>>)[key] === undefined)
        return { place: prefix + key, says: 'is missing', unknown: false };
    return undefined;
  };
}

/** Whether a value is an object with keys: no list, and nothing else that only its own methods can read. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(Symbol.iterator in value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
