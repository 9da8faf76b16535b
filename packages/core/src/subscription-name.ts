import { type Rule, rule } from './rules.ts';

/** Rule of the name of a subscription. */
export const SUBSCRIPTION_NAME: Rule = rule(
  (name) => typeof name === 'string' && /^[\w.:/@-]{1,200}$/.test(name),
  'must have 1 to 200 letters, digits and . : / @ _ - only',
);
