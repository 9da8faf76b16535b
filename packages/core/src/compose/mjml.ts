import { Worker } from 'node:worker_threads';
import { MailRelayError } from '../errors.ts';
import { workerArguments } from '../worker-arguments.ts';
import { unreadable } from './faults.ts';
import type { MjmlResult } from './mjml-worker.ts';
import { type Passage, placeOf } from './origins.ts';

/** Compiles sources in one short-lived thread. */
export async function compileMjml(sources: readonly string[]): Promise<readonly MjmlResult[]> {
  if (sources.length === 0) return [];
  const file = new URL(import.meta.url.endsWith('.ts') ? './mjml-worker.ts' : './mjml-worker.js', import.meta.url);
  return new Promise((resolve, reject) => {
    const worker = new Worker(file, {
      workerData: sources,
      name: 'mail-relay-mjml',
      ...workerArguments(),
    });
    worker.once('message', resolve);
    worker.once('error', (cause) =>
      reject(
        new MailRelayError('WORKER_UNAVAILABLE', { reason: `the MJML compiler failed: ${cause.message}` }, { cause }),
      ),
    );
    worker.once('exit', () =>
      reject(new MailRelayError('WORKER_UNAVAILABLE', { reason: 'the MJML compiler ended without an answer' })),
    );
  });
}

// Between these elements MJML drops text without a word.
const CONTAINERS: ReadonlySet<string> = new Set([
  'mjml',
  'mj-body',
  'mj-wrapper',
  'mj-section',
  'mj-group',
  'mj-column',
  'mj-hero',
]);
const PIECES = /<!--[\s\S]*?-->|<(\/?)([a-zA-Z][\w-]*)((?:"[^"]*"|'[^']*'|[^>"'])*?)(\/?)>|\{\{\{?[\s\S]*?\}?\}\}/g;

/**
 * Wraps Handlebars blocks that stand between components into `mj-raw`, where MJML keeps them.
 *
 * @throws MailRelayError `TEMPLATE_INVALID` for a value between components, which belongs into `mj-text`.
 */
export function keepBlocks(body: Passage): string {
  const stack: string[] = [];
  return body.text.replace(
    PIECES,
    (
      piece,
      closing: string | undefined,
      name: string | undefined,
      _attributes,
      selfClosing: string | undefined,
      offset: number,
    ) => {
      if (name !== undefined) {
        if (closing === '/') stack.pop();
        else if (selfClosing !== '/') stack.push(name.toLowerCase());
        return piece;
      }
      if (!piece.startsWith('{{') || !CONTAINERS.has(stack.at(-1) ?? '')) return piece;
      if (/^\{\{[~]?(?:[#/^]|else\b)/.test(piece)) return `<mj-raw>${piece}</mj-raw>`;
      if (/^\{\{[~]?!/.test(piece)) return piece.replace(/[^\n]/g, '');
      throw unreadable(placeOf(body, offset), `${piece} stands between components; put it into mj-text or mj-raw`);
    },
  );
}

/** Faults that matter: MJML also complains of colours and sizes that are values of the template. */
export function faultOf(
  { html, errors }: MjmlResult,
  source: string,
): { readonly line: number; readonly message: string } | undefined {
  const fault = errors.find(({ message }) => !message.includes('{{'));
  if (fault !== undefined) return fault;
  const lost = blocksOf(source).filter((block) => !html.includes(block));
  return lost.length === 0
    ? undefined
    : {
        line: source.slice(0, source.indexOf(lost[0] as string)).split('\n').length,
        message: `MJML dropped ${lost[0]}`,
      };
}

function blocksOf(source: string): string[] {
  const visible = source.replace(/<!--[\s\S]*?-->/g, '');
  return [...visible.matchAll(/\{\{[~]?[#/^][\s\S]*?\}\}/g)].map(([block]) => block);
}
