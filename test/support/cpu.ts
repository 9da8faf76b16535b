/** What a call returns, and the CPU time that it took in this thread, in ms: what else the machine does is not in it. */
export function onCpu<T>(run: () => T): { readonly value: T; readonly ms: number } {
  const before = process.threadCpuUsage();
  const value = run();
  const { user, system } = process.threadCpuUsage(before);
  return { value, ms: (user + system) / 1000 };
}
