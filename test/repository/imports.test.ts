import { describe, expect, it } from 'vitest';
import { cycles, type Import, importsOf, read, walk } from './sources.ts';

const CORE = 'packages/core/src/';
/** These know the order of the stages and join them: `relay.ts` and `engine.ts`, each with a folder of its parts. */
const JOINTS = ['relay', 'engine'];
/** The boundary between the host's thread and the engine's starts the engine. */
const THREAD = 'thread';

const packages = walk('packages').folders.filter((folder) => /^packages\/[^/]+$/.test(folder));
const sources = packages.flatMap((folder) => sourceFiles(`${folder}/src`));
const imports = sources.flatMap((file) => importsOf(file));
const core = imports.filter(({ from }) => from.startsWith(CORE));

describe('import rules', () => {
  it('read every kind of import', () => {
    const text = `import type { A } from './port.ts'; import { type B, b } from '../b.ts'; import './c.ts';
      export * from './d.ts'; export type { E } from './e.ts'; const f = await import('./f.ts'); import x from 'express';`;
    expect(importsOf('packages/core/src/queue/lanes.ts', text).map(({ to, typeOnly }) => [to, typeOnly])).toEqual([
      [`${CORE}queue/port.ts`, true],
      [`${CORE}b.ts`, false],
      [`${CORE}queue/c.ts`, false],
      ['express', false],
      [`${CORE}queue/d.ts`, false],
      [`${CORE}queue/e.ts`, true],
      [`${CORE}queue/f.ts`, false],
    ]);
  });

  it('find cycles, and not where only types go round', () => {
    const edge = (from: string, to: string, typeOnly = false): Import => ({ from, to, relative: true, typeOnly });
    expect(cycles([edge('a', 'b'), edge('b', 'c'), edge('c', 'a'), edge('d', 'a')])).toEqual([['a', 'b', 'c']]);
    expect(cycles([edge('a', 'b'), edge('b', 'a', true)])).toEqual([]);
  });

  it('forbid what crosses the stages', () => {
    expect(mayImport('queue/lanes.ts', 'deliver/smtp.ts')).toBe(false);
    expect(mayImport('queue/lanes.ts', 'deliver/port.ts')).toBe(true);
    expect(mayImport('queue/lanes.ts', 'message.ts')).toBe(true);
    expect(mayImport('queue/lanes.ts', 'engine.ts')).toBe(false);
    expect(mayImport('options.ts', 'store/sqlite.ts')).toBe(false);
    expect(mayImport('store/sqlite.ts', 'engine/reading.ts')).toBe(false);
    expect(mayImport('engine.ts', 'store/sqlite.ts')).toBe(true);
    expect(mayImport('relay/lifecycle.ts', 'thread/spawn.ts')).toBe(true);
    expect(mayImport('thread/worker.ts', 'engine.ts')).toBe(true);
    expect(mayImport('index.ts', 'deliver/smtp.ts')).toBe(true);
  });
});

describe('the core', () => {
  it('lets no stage import another: only engine.ts and relay.ts know the order', () => {
    const crossings = core
      .filter(({ relative, from, to }) => relative && !mayImport(from.slice(CORE.length), to.slice(CORE.length)))
      .map(({ from, to }) => `${from} -> ${to}`);
    expect(crossings).toEqual([]);
  });

  it('keeps its imports inside the package', () => {
    expect(core.filter(({ relative, to }) => relative && !to.startsWith(CORE))).toEqual([]);
  });

  it('imports no framework', () => {
    const framework = /^(express|fastify|hono|koa|@nestjs\/|@mailrelay\/)/;
    expect(core.filter(({ to }) => framework.test(to)).map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });
});

describe('the packages', () => {
  it('import no file in a circle', () => {
    expect(cycles(imports.filter(({ relative }) => relative))).toEqual([]);
  });

  it('use only the public entries of the core', () => {
    const entries = Object.keys((JSON.parse(read('packages/core/package.json')) as { exports: object }).exports);
    const allowed = entries.map((entry) => `@mailrelay/core${entry.slice(1)}`);
    const others = imports.filter(
      ({ from, to }) => !from.startsWith(CORE) && (to.startsWith('@mailrelay/core') || to.startsWith(CORE)),
    );
    expect(others.filter(({ to }) => !allowed.includes(to)).map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  it('have no file for leftovers', () => {
    const { files, folders } = walk('');
    const leftovers = /(^|\/)(utils?|helpers?)(\.[cm]?[jt]s)?$/;
    expect([...files, ...folders].filter((path) => leftovers.test(path))).toEqual([]);
  });

  it('have no file over 300 lines', () => {
    const code = walk('').files.filter((file) => /\.[cm]?[jt]s$/.test(file));
    const long = code
      .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
      .filter(({ lines }) => lines > 300);
    expect(long).toEqual([]);
  });
});

function sourceFiles(folder: string): string[] {
  return walk(folder).files.filter((file) => file.endsWith('.ts'));
}

/** Whether one file of the core may import another; both relative to `packages/core/src`. */
function mayImport(from: string, to: string): boolean {
  const [stage, target] = [stageOf(from), stageOf(to)];
  if (JOINTS.includes(stage) || from === 'index.ts') return true;
  if (stage !== '' && stage === target) return true;
  if (stage === THREAD && to === 'engine.ts') return true;
  if (stage === 'testing' && (to === 'index.ts' || to === 'relay.ts')) return true;
  if (JOINTS.includes(target) || to === 'index.ts') return false;
  return target === '' || to === `${target}/port.ts`;
}

/** The folder of a file, or the joint whose main file it is; empty for the other flat files. */
function stageOf(file: string): string {
  const [first = '', ...rest] = file.split('/');
  const joint = first.replace(/\.ts$/, '');
  if (rest.length > 0) return first;
  return JOINTS.includes(joint) ? joint : '';
}
