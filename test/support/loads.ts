/** For `node --import`: tells on standard error which packages each thread asks for. */
import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { isMainThread } from 'node:worker_threads';

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (/^[@a-z]/.test(specifier) && !specifier.startsWith('node:') && !specifier.startsWith('file:'))
      writeSync(2, `${isMainThread ? 'host' : 'thread'} loads ${specifier}\n`);
    return nextResolve(specifier, context);
  },
});
