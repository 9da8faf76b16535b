import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { simpleParser } from 'mailparser';
import type { MailRelay, MailRelayOptions, SendMessage } from '../../../packages/core/src/index.ts';
import { capturedMails, relayWith, scratchFolder } from '../../support/relay.ts';

/** A folder with these files. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const path = scratchFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

/** A relay with these template files; its engine is in the thread of the test unless told, which starts faster. */
export function relayWithTemplates(files: Readonly<Record<string, string>>, options: MailRelayOptions = {}): MailRelay {
  return relayWith({ templates: folderWith(files), thread: false, ...options });
}

/** An MJML mail around sections. */
export function mjml(body: string, matter = ''): string {
  return `${matter === '' ? '' : `---\n${matter}\n---\n`}<mjml><mj-body>${body}</mj-body></mjml>`;
}

/** A section with a text. */
export function section(text: string): string {
  return `<mj-section><mj-column><mj-text>${text}</mj-text></mj-column></mj-section>`;
}

/** The bodies of a tracked mail, and where a link in them leads. */
export async function sourceBodies(message: SendMessage): Promise<{
  readonly html: string;
  readonly body: string;
  target(link: string): Promise<string | null | undefined>;
}> {
  const relay = relayWith({ thread: false, templates: typeof message.template === 'object' ? [message.template] : [] });
  await relay.send({ to: 'ada@example.com', tracking: { clicks: true }, ...message });
  const { html, text = '' } = await simpleParser((await capturedMails(relay, 1))[0] ?? '');
  return {
    html: html || '',
    body: text,
    target: async (link) => (await relay.handle(new Request(link, { redirect: 'manual' })))?.headers.get('location'),
  };
}
