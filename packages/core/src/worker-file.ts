import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MailRelayError } from './errors.ts';

/**
 * The file of a worker beside a module, from the sources or compiled.
 *
 * @param near - `import.meta.url` of the module
 * @param wayOut - what to do beside keeping the package out of the bundle
 * @throws MailRelayError `WORKER_UNAVAILABLE` where it is not there, as after bundling.
 */
export function workerFile(name: string, near: string, wayOut = ''): URL {
  const file = new URL(`./${name}.${near.endsWith('.ts') ? 'ts' : 'js'}`, near);
  if (file.protocol === 'file:' && existsSync(fileURLToPath(file))) return file;
  throw new MailRelayError('WORKER_UNAVAILABLE', {
    file: file.href,
    reason:
      `its file ${file.href} is not there, as happens when a bundler packs the application; ` +
      `keep @mailrelay/core external to the bundle${wayOut}`,
  });
}
