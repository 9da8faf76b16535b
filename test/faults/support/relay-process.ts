/** A host application in a process of its own, to be killed: it runs a relay, and calls what it is told to. */
import { createServer } from 'node:http';
import {
  createMailRelay,
  type MailRelay,
  type MailRelayOptions,
  type SendMessage,
  smtp,
} from '../../../packages/core/src/index.ts';
import { toNodeHandler } from '../../../packages/core/src/node/index.ts';
import { BROWSER } from './browser.ts';
import { engineUsage, threadUsage } from './engine-usage.ts';
import type { Answer, Call, RelaySettings } from './relay-calls.ts';
import { run as runSpree, type Spree } from './spree.ts';

const { http, smtp: server, rate, concurrency, ...options } = JSON.parse(process.argv[2] ?? '{}') as RelaySettings;
const route = {
  name: 'out',
  ...(rate === undefined ? {} : { rate }),
  ...(concurrency === undefined ? {} : { concurrency }),
};
let relay: MailRelay = createMailRelay(optionsWith('http://127.0.0.1:1'));
let port = 0;

function optionsWith(publicUrl: string): MailRelayOptions {
  return {
    from: 'App <app@example.com>',
    secret: 'a secret of enough length',
    publicUrl,
    routes: [smtp({ host: '127.0.0.1', ...server }, route)],
    logger: {
      debug() {},
      info() {},
      warn() {},
      error: (fields, message) => void process.send?.({ log: { ...fields, message } }),
    },
    ...options,
  };
}

if (http !== undefined) {
  const web = createServer((req, res) => toNodeHandler(relay)(req, res)).listen(http, '127.0.0.1');
  await new Promise((resolve) => web.once('listening', resolve));
  port = http;
  relay = createMailRelay(optionsWith(`http://127.0.0.1:${port}`));
}

/** What a test may ask of the process itself. */
const own: Readonly<Record<string, (...parameters: never[]) => unknown>> = {
  /** Memory and handles, after garbage was collected. */
  usage: () => ({ rss: process.memoryUsage.rss(), ...threadUsage() }),
  engineUsage,
  sendUntilKilled: (spree: Spree<SendMessage>) => runSpree(spree, (message) => relay.send(message)),
  readUntilKilled: (spree: Spree<string>) =>
    runSpree(spree, async (url) => {
      const response = await relay.handle(new Request(url, { headers: { 'User-Agent': BROWSER } }));
      return response?.status;
    }),
};

/** `send`, `reports.campaign` …: a function of the relay by its name. */
async function run({ name, parameters }: Call): Promise<unknown> {
  if (own[name] !== undefined) return own[name](...(parameters as never[]));
  const path = name.split('.');
  const last = path.pop() as string;
  let target: unknown = relay;
  for (const part of path) target = (target as Record<string, unknown>)[part];
  const value = await (target as Record<string, (...values: unknown[]) => unknown>)[last]?.(...parameters);
  return value;
}

process.on('message', (call: Call) => {
  const answer = (said: Omit<Answer, 'n'>): void => void process.send?.({ n: call.n, ...said });
  run(call).then(
    (value) => answer({ value }),
    (error: Error & { code?: string }) => answer({ error: { message: error.message, code: error.code } }),
  );
});
process.on('disconnect', () => process.exit());
await relay.start().then(
  () => process.send?.({ started: true, port }),
  (error: Error & { code?: string }) => process.send?.({ failed: { message: error.message, code: error.code } }),
);
