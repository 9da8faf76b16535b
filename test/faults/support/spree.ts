import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

/** Calls that a process makes, a few at once and a pause between, until it kills itself right upon one of the answers. */
export interface Spree<Task> {
  readonly tasks: readonly Task[];
  /** Takes each answer before anything else happens. */
  readonly log: string;
  /** The answer that is the last, or nearly. */
  readonly upon: number;
  /** From that answer to the kill, ms. */
  readonly afterMs: number;
}

/** One call that was answered. */
export interface Answered<Task, Value> {
  readonly task: Task;
  readonly value: Value;
}

const AT_ONCE = 5;
/** No query comes in it: the journal is used again. */
const PAUSE_MS = 60;

/** Runs it, in the process that is to be killed. Resolves only where there were fewer tasks than that. */
export async function run<Task>({ tasks, log, upon, afterMs }: Spree<Task>, call: (task: Task) => Promise<unknown>) {
  let answers = 0;
  const one = async (task: Task): Promise<void> => {
    const value = await call(task);
    appendFileSync(log, `${JSON.stringify({ task, value })}\n`);
    answers += 1;
    if (answers !== upon) return;
    if (afterMs > 0) await setTimeout(afterMs);
    process.kill(process.pid, 'SIGKILL');
  };
  for (let at = 0; at < tasks.length; at += AT_ONCE) {
    await Promise.all(tasks.slice(at, at + AT_ONCE).map(one));
    await setTimeout(PAUSE_MS);
  }
}

/** The answers of all sprees that had this log. */
export function answersOf<Task, Value>(log: string): Answered<Task, Value>[] {
  const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Answered<Task, Value>);
}
