import { createMailRelay, smtp, sqlite } from '@mailrelay/core';
import { type Benchmark, elapsedMs, median, scratchFolder } from './support.ts';

const CALLERS = 100;
const CALLS = 10_000;

/** How many durable `send()` calls a second are answered; nothing is delivered meanwhile. */
export const submission: Benchmark = {
  name: 'submission',
  title: `durable send() with ${CALLERS} concurrent callers`,
  async run() {
    const folder = scratchFolder();
    const relay = createMailRelay({
      publicUrl: 'https://mail.example.com',
      secret: 'a secret for the benchmark',
      from: 'App <app@example.com>',
      store: sqlite(`${folder.path}/relay.db`),
      routes: [smtp('smtp://127.0.0.1:9')],
      queue: { deliver: false },
    });
    try {
      await relay.start();
      const speeds: number[] = [];
      for (let round = 0; round < 4; round++) {
        const ms = await elapsedMs(async () => {
          let next = 0;
          const caller = async (): Promise<void> => {
            while (next < CALLS) {
              const index = next++;
              await relay.send({
                to: `user${index}@example.com`,
                subject: `Order ${index}`,
                text: `Thank you for order ${index}.`,
              });
            }
          };
          await Promise.all(Array.from({ length: CALLERS }, caller));
        });
        if (round > 0) speeds.push(CALLS / (ms / 1000));
      }
      return [{ name: 'send()', value: median(speeds), unit: 'per second', target: 10_000 }];
    } finally {
      await relay.stop();
      folder.remove();
    }
  },
};
