import { startChild } from './child.ts';
import { type Benchmark, type Figure, median, medianRatio, type Size } from './figures.ts';
import { usualMail } from './mails.ts';
import { type Answered, askAtOnce } from './requests.ts';
import type { Routes, RoutesProcess } from './routes.child.ts';

const CONNECTIONS = 100;
const SIZES: Readonly<Record<Size, { mails: number; seconds: number; most: number; rounds: number }>> = {
  full: { mails: 20_000, seconds: 3, most: 1_000_000, rounds: 5 },
  tiny: { mails: 20, seconds: 1, most: 200, rounds: 1 },
};

/** Pixel and click routes with durable events, beside Express routes that answer the same bytes and do nothing else. */
export const routes: Benchmark = {
  name: 'routes',
  title: `pixel and click routes with durable events, beside bare Express routes with the same bytes, ${CONNECTIONS} connections`,
  durable: true,
  async run(size) {
    const { mails, rounds, ...bounds } = SIZES[size];
    const child = startChild<RoutesProcess>('./routes.child.ts');
    try {
      const paths = await child.ask('start', mails, usualMail(size));
      const ask = (port: number, asked: readonly string[]): Promise<Answered> =>
        askAtOnce(port, asked, { connections: CONNECTIONS, ...bounds });
      const figures: Figure[] = [];
      for (const [name, ours, bare] of rivalsOf(paths)) {
        const speeds: { ours: number[]; bare: number[] } = { ours: [], bare: [] };
        let answered = (await child.ask('recorded'))[name];
        for (let round = 0; round <= rounds; round++) {
          const [bareRun, ourRun] = [await ask(paths.barePort, bare), await ask(paths.port, ours)];
          answered += ourRun.answered;
          // The first round warms up.
          if (round === 0) continue;
          speeds.bare.push(bareRun.perSecond);
          speeds.ours.push(ourRun.perSecond);
        }
        const recorded = (await child.ask('recorded'))[name];
        if (recorded !== answered) throw new Error(`${name}: ${answered} were answered, ${recorded} are stored`);
        figures.push(
          { name: `${name} route`, value: median(speeds.ours), unit: 'requests/s' },
          { name: `bare route with the bytes of the ${name}`, value: median(speeds.bare), unit: 'requests/s' },
          { name: `${name}: share`, value: 100 * medianRatio(speeds.ours, speeds.bare), unit: '%', target: 60 },
        );
      }
      await child.ask('stop');
      return figures;
    } finally {
      await child.stop();
    }
  },
};

function rivalsOf({
  pixels,
  clicks,
  barePixel,
  bareClick,
}: Routes): ['pixel' | 'click', readonly string[], readonly string[]][] {
  return [
    ['pixel', pixels, [barePixel]],
    ['click', clicks, [bareClick]],
  ];
}
