/** What a process used while it worked. */
export interface Usage {
  readonly seconds: number;
  /** CPU of all threads. */
  readonly cpuSeconds: number;
  /** Resident memory before, and the most of it meanwhile. */
  readonly rssBefore: number;
  readonly rssPeak: number;
}

/** Runs a task and says what this process used for it. */
export async function measured(task: () => Promise<void>): Promise<Usage> {
  const rssBefore = process.memoryUsage.rss();
  let rssPeak = rssBefore;
  const timer = setInterval(() => {
    rssPeak = Math.max(rssPeak, process.memoryUsage.rss());
  }, 50);
  const cpu = process.cpuUsage();
  const start = performance.now();
  try {
    await task();
  } finally {
    clearInterval(timer);
  }
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuSeconds: (user + system) / 1e6, rssBefore, rssPeak };
}
