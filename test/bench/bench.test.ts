import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { z } from 'zod';

const Figure = z.strictObject({
  name: z.string().regex(/^\w+: ./),
  value: z.number(),
  unit: z.string().min(1),
  target: z.number().nullable(),
  met: z.boolean().nullable(),
});

const run = (...parameters: string[]): Promise<{ stdout: string }> =>
  promisify(execFile)(process.execPath, [...process.execArgv, `${import.meta.dirname}/run.ts`, ...parameters]);

it('each benchmark runs, and prints well-formed figures', async () => {
  const { stdout } = await run('--tiny', '--json', '--all');
  const figures = stdout
    .trim()
    .split('\n')
    .map((line) => Figure.parse(JSON.parse(line)));
  const measured = new Set(figures.map(({ name }) => name.split(':')[0]));
  expect([...measured].sort()).toEqual(
    [
      ...[
        'campaign',
        'coldstart',
        'distant',
        'domains',
        'growth',
        'host',
        'million',
        'profile',
        'rendering',
        'routes',
        'signed',
      ],
      ...['submission', 'webhooks'],
    ].sort(),
  );
  expect(figures.filter(({ target, met }) => (target === null) !== (met === null))).toEqual([]);
}, 300_000);

it('a benchmark that is not there is named, with those that are', async () => {
  await expect(run('speed')).rejects.toThrow(/there is no benchmark speed; known are campaign, signed/);
});
