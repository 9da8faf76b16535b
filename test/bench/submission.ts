import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { createMailRelay, type MailRelay, smtp, sqlite } from '@mailrelay/core';
import { type Benchmark, elapsedMs, inRounds, median, type Size, scratchFolder } from './figures.ts';
import { RELAY } from './mails.ts';

const MANY = 100;
const FEW = 10;
const SIZES: Readonly<Record<Size, { calls: number; fewCalls: number; fsyncs: number; rounds: number }>> = {
  full: { calls: 20_000, fewCalls: 4000, fsyncs: 100, rounds: 5 },
  tiny: { calls: 200, fewCalls: 50, fsyncs: 5, rounds: 1 },
};

const LONGEST_SECONDS = 60;

/** How many durable `send()` calls a second are answered, and how long one waits; nothing is delivered meanwhile. */
export const submission: Benchmark = {
  name: 'submission',
  title: `durable send() with ${MANY} concurrent callers, and with ${FEW} beside one fsync of the same disk`,
  durable: true,
  async run(size) {
    const { calls, fewCalls, fsyncs, rounds } = SIZES[size];
    const folder = scratchFolder();
    const relay = createMailRelay({
      ...RELAY,
      store: sqlite(`${folder.path}/relay.db`),
      routes: [smtp('smtp://127.0.0.1:9')],
      queue: { deliver: false },
    });
    const speeds: number[] = [];
    const answers: number[] = [];
    const syncs: number[] = [];
    try {
      await relay.start();
      await inRounds(rounds + 1, LONGEST_SECONDS, async (round) => {
        const ms = await elapsedMs(() => callAtOnce(relay, MANY, calls));
        const answerMs = median(await callAtOnce(relay, FEW, fewCalls));
        const syncMs = fsyncMs(`${folder.path}/fsync`, fsyncs);
        // The first round warms up.
        if (round === 0) return;
        speeds.push(calls / (ms / 1000));
        answers.push(answerMs);
        syncs.push(syncMs);
      });
      const above = median(answers.map((ms, round) => ms - (syncs[round] as number)));
      return [
        { name: `send() with ${MANY} callers`, value: median(speeds), unit: 'per second', target: 10_000 },
        { name: `median answer with ${FEW} callers`, value: median(answers), unit: 'ms' },
        { name: 'one fsync', value: median(syncs), unit: 'ms' },
        { name: 'median answer above one fsync', value: above, unit: 'ms', target: 1, atMost: true },
      ];
    } finally {
      await relay.stop();
      folder.remove();
    }
  },
};

/** Callers that each wait for their answer before they call again; ms of each call. */
async function callAtOnce(relay: MailRelay, callers: number, calls: number): Promise<number[]> {
  const times: number[] = [];
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < calls) {
      const index = next++;
      const to = `user${index}@example.com`;
      const start = performance.now();
      await relay.send({ to, subject: `Order ${index}`, text: `Thank you for order ${index}.` });
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return times;
}

/** Median ms of appending one page to a file and waiting for the disk. */
function fsyncMs(path: string, count: number): number {
  const file = openSync(path, 'a');
  const page = Buffer.alloc(4096, 1);
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    writeSync(file, page);
    fsyncSync(file);
    times.push(performance.now() - start);
  }
  closeSync(file);
  return median(times);
}
