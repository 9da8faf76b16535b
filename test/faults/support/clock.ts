/**
 * Preloaded into a process, and with it into its worker threads: a clock that is off by as many ms as the file says that
 * MAIL_RELAY_CLOCK names. Timers and `performance` go on as they do when somebody sets the clock of a machine.
 */
import { readFileSync } from 'node:fs';

const file = process.env.MAIL_RELAY_CLOCK ?? '';
const LOOK_MS = 5;
const RealDate = Date;
const now = Date.now.bind(Date);
let shift = 0;
let lookedAt = Number.NEGATIVE_INFINITY;

function shifted(): number {
  if (performance.now() - lookedAt > LOOK_MS) {
    lookedAt = performance.now();
    shift = Number(readFileSync(file, 'utf8')) || 0;
  }
  return now() + shift;
}

globalThis.Date = new Proxy(RealDate, {
  construct: (target, parameters, newTarget) =>
    Reflect.construct(target, parameters.length === 0 ? [shifted()] : parameters, newTarget),
  get: (target, name) => (name === 'now' ? shifted : Reflect.get(target, name)),
});
