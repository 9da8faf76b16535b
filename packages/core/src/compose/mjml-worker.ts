/** Compiles MJML in a thread that ends afterwards, so that the compiler's memory never stays in the host. */
import { parentPort, workerData } from 'node:worker_threads';

/** What came of one source. */
export interface MjmlResult {
  readonly html: string;
  readonly errors: readonly { readonly line: number; readonly message: string }[];
}

const port = parentPort;
if (port) void compile();

async function compile(): Promise<void> {
  const { default: mjml2html } = await import('mjml');
  const results: MjmlResult[] = [];
  for (const source of workerData as readonly string[]) {
    try {
      const { html, errors } = await mjml2html(source, { validationLevel: 'soft', keepComments: false });
      results.push({ html, errors: errors.map(({ line, message }) => ({ line, message })) });
    } catch (error) {
      results.push({
        html: '',
        errors: [{ line: 1, message: error instanceof Error ? error.message : String(error) }],
      });
    }
  }
  port?.postMessage(results);
}
