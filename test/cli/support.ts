import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '@mailrelay/cli';
import { scratchFolder } from '../support/relay.ts';

/** A mail in MJML around a text. */
export const mjml = (subject: string, text: string): string => `---
subject: ${subject}
---
<mjml><mj-body><mj-section><mj-column>${text}</mj-column></mj-section></mj-body></mjml>
`;

/** A folder with files, until the test ends. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = scratchFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Runs a command to its end. */
export async function command(...argv: string[]): Promise<{ code: number; printed: string; complaints: string }> {
  const printed: string[] = [];
  const complaints: string[] = [];
  const code = await run(argv, {
    print: (text) => void printed.push(text),
    complain: (text) => void complaints.push(text),
    stop: AbortSignal.abort(),
  });
  return { code, printed: printed.join('\n'), complaints: complaints.join('\n') };
}
