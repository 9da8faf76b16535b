/**
 * `npm run bench -- [NAME] [--json] [--tiny] [--all]`: prints figures, and ratios against peers measured in the same run.
 * `--all` includes those that otherwise run only where they are named.
 */
import { tmpdir } from 'node:os';
import { campaign } from './campaign.ts';
import { coldstart } from './coldstart.ts';
import { distant } from './distant.ts';
import { domains } from './domains.ts';
import { type Benchmark, type Figure, isInMemory } from './figures.ts';
import { growth } from './growth.ts';
import { host } from './host.ts';
import { million } from './million.ts';
import { profile } from './profile.ts';
import { rendering } from './rendering.ts';
import { routes } from './routes.ts';
import { signed } from './signed.ts';
import { submission } from './submission.ts';
import { webhooks } from './webhooks.ts';

const benchmarks: readonly Benchmark[] = [
  campaign,
  distant,
  signed,
  domains,
  rendering,
  submission,
  host,
  routes,
  webhooks,
  coldstart,
  million,
  profile,
  growth,
];
const json = process.argv.includes('--json');
const all = process.argv.includes('--all');
const size = process.argv.includes('--tiny') ? 'tiny' : 'full';
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = wanted.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  const known = benchmarks.map(({ name }) => name).join(', ');
  console.error(`there is no benchmark ${unknown.join(', ')}; known are ${known}`);
  process.exit(2);
}
// What was started ends with `exit`, also when somebody stops the run.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

const inMemory = isInMemory(tmpdir());
let told = false;

for (const benchmark of benchmarks) {
  if (wanted.length > 0 ? !wanted.includes(benchmark.name) : benchmark.onDemand && !all) continue;
  if (!json) console.log(`\n${benchmark.name}: ${benchmark.title}`);
  const aimless = benchmark.durable === true && inMemory;
  if (aimless && !told) console.error(`bench: ${tmpdir()} is in memory: set TMPDIR to a folder on a disk`);
  told ||= aimless;
  for (const { target, ...figure } of await benchmark.run(size, wanted.length === 1))
    print(benchmark.name, target === undefined || aimless ? figure : { ...figure, target });
}

function print(benchmark: string, figure: Figure): void {
  const { name, value, unit, target, atMost } = figure;
  const met = target === undefined ? undefined : atMost ? value <= target : value >= target;
  if (json) {
    const line = { name: `${benchmark}: ${name}`, value, unit, target: target ?? null, met: met ?? null };
    console.log(JSON.stringify(line));
    return;
  }
  const shown = value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value < 10 ? 2 : 1);
  const goal =
    target === undefined ? '' : `  (${atMost ? 'at most' : 'at least'} ${target}: ${met ? 'met' : 'MISSED'})`;
  console.log(`  ${name.padEnd(56)} ${shown.padStart(10)} ${unit}${goal}`);
}
