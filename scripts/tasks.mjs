// The tasks of `scripts/run.mjs`. Plain JavaScript without dependencies, as that one.

/** Also with all that ends a task, none takes more than 20 minutes. */
const LONGEST_MS = 19 * 60_000;

/**
 * What each task runs; `build` tells whether it needs the packages compiled, `env` what it finds in the environment,
 * `files` which files it takes where none is named, `longestMs` after what time it has failed, and `advice` what is said then.
 */
export const TASKS = {
  test: { node: ['scripts/test.ts'], build: true },
  demo: { node: ['examples/express-newsletter/demo.ts'], build: true },
  'demo:nestjs': { node: ['examples/nestjs-shop/start.mjs'], build: true },
  bench: {
    node: ['test/bench/run.ts'],
    build: true,
    longestMs: LONGEST_MS,
    advice: 'run the other benchmarks by their names',
  },
  build: { build: true },
  'check:packages': { node: ['scripts/check-packages.ts'], build: true },
  typecheck: { tool: ['tsc', '-b', 'test', 'test/core/types/merged'], build: true },
  'test:unit': { tool: ['vitest', 'run'] },
  // Most of the time they wait: two at once, also on a small machine.
  'test:faults': {
    tool: ['vitest', 'run', '--project', 'e2e', '--maxWorkers', '2'],
    files: ['test/faults'],
    env: { MAIL_RELAY_FAULTS: 'full' },
    longestMs: LONGEST_MS,
  },
  lint: { tool: ['biome', 'ci'] },
  format: { tool: ['biome', 'check', '--write'] },
  knip: { tool: ['knip'] },
};
