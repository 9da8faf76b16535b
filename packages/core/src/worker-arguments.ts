/**
 * Options of Node for the relay's worker threads: those of the host, but for the ones that say how the host itself is read.
 * A worker runs from a file, and Node refuses it where the host runs from a string (`--eval`, standard input).
 */
export function workerArguments(): string[] {
  return process.execArgv.filter((option) => !option.startsWith('--input-type'));
}
