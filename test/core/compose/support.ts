import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MailRelay, MailRelayOptions } from '../../../packages/core/src/index.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';

/** A folder with these files. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const path = scratchFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

/** A relay with these template files. */
export function relayWithTemplates(files: Readonly<Record<string, string>>, options: MailRelayOptions = {}): MailRelay {
  return relayWith({ templates: folderWith(files), ...options });
}

/** An MJML mail around sections. */
export function mjml(body: string, matter = ''): string {
  return `${matter === '' ? '' : `---\n${matter}\n---\n`}<mjml><mj-body>${body}</mj-body></mjml>`;
}

/** A section with a text. */
export function section(text: string): string {
  return `<mj-section><mj-column><mj-text>${text}</mj-text></mj-column></mj-section>`;
}
