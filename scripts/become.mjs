// A task of `scripts/run.mjs`. Plain JavaScript without dependencies, as that one.
import { spawn } from 'node:child_process';

/** From SIGTERM to SIGKILL, where a task is stopped that took too long. */
const GRACE_MS = 10_000;
const WINDOWS = process.platform === 'win32';

/**
 * Hands over to a command: its output, its signals and its exit code are this process's.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} [options]
 * @param {string} [options.cwd]
 * @param {Readonly<Record<string, string | undefined>>} [options.env]
 * @param {number} [options.longestMs] the command is stopped after so many ms, and has failed then; nothing that it has
 *   started outlives it, however it ends
 * @param {string} [options.advice] what is said then as well
 * @param {number} [options.graceMs] what takes no notice of that is killed after so many ms more; 10 s where nothing is said
 */
export function become(command, args, { cwd, env, longestMs, advice, graceMs = GRACE_MS } = {}) {
  // A group of its own reaches what the command has started as well, also once the command is gone.
  const grouped = longestMs !== undefined && !WINDOWS;
  const child = spawn(command, args, { cwd, env, stdio: 'inherit', shell: WINDOWS, detached: grouped });
  const end = (signal) => (grouped ? killGroup(child.pid, signal) : child.kill(signal));
  // The terminal sends it to the task as well, where that is in its group; and the task decides.
  process.on('SIGINT', () => grouped && end('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => end(signal));
  let tooLong = false;
  const timer = setTimeout(() => {
    tooLong = true;
    const then = advice === undefined ? '' : `; ${advice}`;
    say(`the task was stopped: it had not ended after ${longestMs / 60_000} minutes${then}`);
    end('SIGTERM');
    setTimeout(() => end('SIGKILL'), graceMs);
  }, longestMs ?? 0);
  if (longestMs === undefined) clearTimeout(timer);
  child.on('error', (error) => {
    say(`${command} did not start: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    clearTimeout(timer);
    if (grouped) end('SIGKILL');
    process.exit(tooLong ? 1 : (code ?? (signal ? 1 : 0)));
  });
}

function killGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** What a task prints is its own. */
function say(text) {
  console.error(`mail-relay: ${text}`);
}
