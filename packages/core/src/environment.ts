/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The variables that the relay reads, as operators mean them: one that is empty is not set, and blanks around a value, such as
 * the end of the line in a file of variables, do not belong to it.
 */
export function readEnvironment(env: Environment): Environment {
  const ours = Object.entries(env).filter(([name]) => /^(?:MAIL_RELAY_.*|[A-Z]+_WEBHOOK_.*|NODE_ENV|PORT)$/.test(name));
  return Object.fromEntries(ours.map(([name, value]) => [name, value?.trim() || undefined]));
}
