import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { SOURCE_ARGUMENTS } from './test/support/source.ts';

// The workspace's packages are taken from their sources, so that tests run without a build.
const conditions = ['@mailrelay/source', 'module', 'node', 'development|production'];

// What Node has compiled and stripped of its types is kept for the worker threads and child processes of the tests, which
// start by the thousand: without, it is half of what they cost.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '.tools/compile-cache');

// Nest's decorators, wherever the file lies.
const decorator = { legacy: true, emitDecoratorMetadata: true };

const project = (name: string, include: string[], timeoutMs: number): TestProjectInlineConfiguration => ({
  oxc: { decorator },
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name,
    include,
    pool: 'forks',
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    // A state is waited for as long as it takes on a busy machine.
    expect: { poll: { timeout: timeoutMs * 0.6 } },
    setupFiles: [join(import.meta.dirname, 'test/support/patience.ts')],
    // Worker threads and child processes of the tests resolve the packages in the same way.
    execArgv: [...SOURCE_ARGUMENTS],
  },
});

const nestjs = ['test/nestjs/**/*.test.ts'];

/** The tests of the NestJS package again, with the release before. */
const nest11 = (): TestProjectInlineConfiguration => ({
  ...project('nestjs11', nestjs, 60_000),
  resolve: {
    conditions,
    alias: [
      {
        find: /^@nestjs\/(common|core|platform-express|platform-fastify|testing)$/,
        replacement: `${import.meta.dirname}/test/nest11/node_modules/@nestjs/$1`,
      },
    ],
  },
});

export default defineConfig({
  test: {
    // Most tests wait for servers and processes: one at a time leaves half of a small machine idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Of the tests of a file that say that they can go at once.
    maxConcurrency: 3,
    projects: [
      project('core', ['test/core/**/*.test.ts'], 30_000),
      project('express', ['test/express/**/*.test.ts'], 30_000),
      project('nestjs', nestjs, 60_000),
      nest11(),
      project('cli', ['test/cli/**/*.test.ts'], 30_000),
      project('repository', ['test/repository/**/*.test.ts'], 30_000),
      project('e2e', ['test/{e2e,faults,examples,docs,bench}/**/*.test.ts'], 120_000),
    ],
    coverage: { provider: 'v8', include: ['packages/*/src/**/*.ts'] },
  },
});
