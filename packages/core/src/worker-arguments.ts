/**
 * Options of Node for the relay's worker threads. Undefined, which is to inherit those of the host, but where the host runs
 * from a string (`--eval`, standard input): a worker runs from a file, and Node refuses `--input-type` for it. Then only the
 * import conditions are handed on; Node would refuse others, such as `--max-old-space-size`, when they are named.
 */
export function workerArguments(given: readonly string[] = process.execArgv): { execArgv?: string[] } {
  if (!given.some((option) => option.startsWith('--input-type'))) return {};
  return { execArgv: given.filter((option) => option.startsWith('--conditions=')) };
}
