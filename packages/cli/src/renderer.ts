import { createMailRelay, isMailRelayError, type RenderedTemplate } from '@mailrelay/core';
import type { FolderTemplate } from '@mailrelay/core/templates';

/** Renders templates as the relay does. */
export interface Renderer {
  /** @throws MailRelayError `TEMPLATE_VARIABLE_MISSING`, `TEMPLATE_RENDER_FAILED` */
  render(name: string, locale: string, data: object): Promise<RenderedTemplate>;
  close(): Promise<void>;
}

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A relay that has the templates, and sends nothing. */
export function createRenderer(templates: readonly FolderTemplate[]): Renderer {
  const relay = createMailRelay({
    store: ':memory:',
    thread: false,
    environment: 'development',
    publicUrl: 'https://example.com',
    secret: 'the templates are only looked at',
    queue: { deliver: false },
    logger: SILENT,
    // Each language under a name of its own, so that none stands in for another.
    templates: templates.flatMap(({ name, compiled: { version, locales } }) =>
      Object.entries(locales).map(([locale, text]) => ({
        name: nameOf(name, locale),
        compiled: { version: `${version}.${locale}`, locales: { '': text } },
      })),
    ),
    routes: [],
  });
  return {
    render: (name, locale, data) => relay.templates.render(nameOf(name, locale), data),
    close: () => relay.stop(),
  };
}

function nameOf(name: string, locale: string): string {
  return locale === '' ? name : `${name}.${locale}`;
}

/** What an error says to an author. */
export function problemOf(error: unknown): string {
  if (!isMailRelayError(error)) throw error;
  return error.message;
}
