/** `npm run bench [-- NAME] [-- --json]`: prints figures, and ratios against peers measured in the same run. */
import { campaign } from './campaign.ts';
import { rendering } from './rendering.ts';
import { submission } from './submission.ts';
import type { Benchmark, Figure } from './support.ts';

const benchmarks: readonly Benchmark[] = [campaign, rendering, submission];
const json = process.argv.includes('--json');
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = wanted.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  console.error(
    `there is no benchmark ${unknown.join(', ')}; known are ${benchmarks.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

for (const benchmark of benchmarks) {
  if (wanted.length > 0 && !wanted.includes(benchmark.name)) continue;
  if (!json) console.log(`\n${benchmark.name}: ${benchmark.title}`);
  for (const figure of await benchmark.run()) print(benchmark.name, figure);
}

function print(benchmark: string, figure: Figure): void {
  const { name, value, unit, target, atMost } = figure;
  const met = target === undefined ? undefined : atMost ? value <= target : value >= target;
  if (json) {
    console.log(JSON.stringify({ name: `${benchmark}: ${name}`, value, unit, target, met }));
    return;
  }
  const shown = value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1);
  const goal =
    target === undefined ? '' : `  (${atMost ? 'at most' : 'at least'} ${target}: ${met ? 'met' : 'MISSED'})`;
  console.log(`  ${name.padEnd(46)} ${shown.padStart(10)} ${unit}${goal}`);
}
