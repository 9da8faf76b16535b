import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RenderedTemplate } from '@mailrelay/core';
import { CommandError } from './command-error.ts';
import type { Terminal } from './index.ts';
import { previewPage, type View } from './page.ts';
import { problemOf } from './renderer.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

const HTML = { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' };
/** The mail runs no scripts, and its links do not lead the frame away. */
const MAIL =
  "sandbox; default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline' https:; font-src https: data:";

/** Serves the templates to this machine until it is told to stop. */
export async function preview(
  { folder, data, port }: { readonly folder: string; readonly data: string | undefined; readonly port: number },
  { print, stop }: Pick<Terminal, 'print' | 'stop'>,
): Promise<number> {
  const bench = await openWorkbench(folder, data);
  const server = createServer((request, response) => {
    answer(bench, request, response).catch((error: unknown) => {
      response.writeHead(500, { 'Content-Type': 'text/plain' }).end(String(error));
    });
  });
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening').catch((error: Error) => {
      throw new CommandError(`port ${port} cannot be used: ${error.message}; --port names another`, { cause: error });
    });
    print(`${folder} is shown at http://localhost:${(server.address() as AddressInfo).port}/`);
    if (!stop.aborted) await once(stop, 'abort');
  } finally {
    server.close();
    server.closeAllConnections();
    await bench.close();
  }
  return 0;
}

async function answer(bench: Workbench, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A page of somebody else whose name leads here (DNS rebinding) reads nothing.
  if (!/^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i.test(request.headers.host ?? '')) {
    response.writeHead(403).end();
    return;
  }
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname === '/changes') return changes(bench, Number(url.searchParams.get('since')), response);
  const view = viewOf(bench, url.searchParams);
  const { mail, fault } = await rendered(bench, view);
  switch (url.pathname) {
    case '/':
      response.writeHead(200, HTML).end(
        previewPage(bench.shown, view, {
          ...(mail === undefined ? {} : { subject: mail.subject }),
          ...(fault === undefined ? {} : { fault }),
        }),
      );
      return;
    case '/html':
      response.writeHead(200, { ...HTML, 'Content-Security-Policy': MAIL }).end(mail?.html ?? '');
      return;
    case '/text':
      response.writeHead(200, { ...HTML, 'Content-Type': 'text/plain; charset=utf-8' }).end(mail?.text ?? fault ?? '');
      return;
    default:
      response.writeHead(404).end();
  }
}

/** The template that is asked for, else the first. */
function viewOf({ shown: { templates } }: Workbench, parameters: URLSearchParams): View | undefined {
  const found = templates.find(({ name }) => name === parameters.get('name')) ?? templates[0];
  if (found === undefined) return undefined;
  const locales = Object.keys(found.compiled.locales).sort();
  const locale = locales.find((one) => one === parameters.get('locale')) ?? locales[0] ?? '';
  return { name: found.name, locale, width: parameters.get('width') === 'phone' ? 'phone' : 'desktop' };
}

async function rendered(
  { shown: { renderer, samples } }: Workbench,
  view: View | undefined,
): Promise<{ readonly mail?: RenderedTemplate; readonly fault?: string }> {
  if (view === undefined) return {};
  try {
    return { mail: await renderer.render(view.name, view.locale, samples.get(view.name)?.data ?? {}) };
  } catch (error) {
    return { fault: problemOf(error) };
  }
}

/** Tells the page of each change (server-sent events). */
function changes(bench: Workbench, since: number, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write(': here\n\n');
  const tell = (): void => void response.write('event: changed\ndata: 1\n\n');
  const off = bench.onChange(tell);
  if (bench.shown.version !== since) tell();
  response.on('close', off);
}
