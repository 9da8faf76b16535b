/** For `node --import`: runs TypeScript with decorators, which Node alone cannot strip. */
import { readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

interface Transformer {
  transformSync(file: string, source: string, options: object): { code: string; errors: readonly unknown[] };
}

const require = createRequire(import.meta.url);
/** What the decorators become calls of, as TypeScript writes it. */
const HELPERS = `
const babelHelpers = {
  decorate(decorators, target, key, descriptor) {
    const own = key !== undefined && descriptor === null ? Object.getOwnPropertyDescriptor(target, key) : descriptor;
    const first = key === undefined ? target : own;
    const made = decorators.reduceRight((so, decorator) => (key === undefined ? decorator(so) : decorator(target, key, so)) || so, first);
    if (key !== undefined && made) Object.defineProperty(target, key, made);
    return made;
  },
  decorateParam: (index, decorator) => (target, key) => decorator(target, key, index),
  decorateMetadata: (key, value) => Reflect.metadata(key, value),
};
`;

let transformer: Transformer | undefined;

registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
    const file = fileURLToPath(url);
    const source = readFileSync(file, 'utf8');
    if (!/^\s*@[A-Z]\w*\(/m.test(source)) return nextLoad(url, context);
    // Comes with vite; loaded only where a file needs it.
    transformer ??= createRequire(require.resolve('vite'))('rolldown/utils') as Transformer;
    const { code, errors } = transformer.transformSync(file, source, {
      decorator: { legacy: true, emitDecoratorMetadata: true },
      helpers: { mode: 'External' },
    });
    if (errors.length > 0) throw new Error(`${file} does not compile: ${JSON.stringify(errors)}`);
    return { format: 'module', source: HELPERS + code, shortCircuit: true };
  },
});
