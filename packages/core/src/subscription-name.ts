import { type Rule, rule } from './rules.ts';

/** Whether a text names a subscription. */
export function isSubscriptionName(name: unknown): name is string {
  return typeof name === 'string' && /^[\w.:/@-]{1,200}$/.test(name);
}

/** Rule of the name of a subscription. */
export const SUBSCRIPTION_NAME: Rule = rule(
  isSubscriptionName,
  'must have 1 to 200 letters, digits and . : / @ _ - only',
);
