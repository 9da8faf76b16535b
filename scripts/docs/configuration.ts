import { SECTIONS } from './sections.ts';
import { type DocumentedProperty, propertiesOf } from './tsdoc.ts';

/** The page of all options. */
export function configurationPage(source: (path: string) => string): string {
  const sections = SECTIONS.map((section) => {
    const properties = propertiesOf(source(section.file), section.interface);
    return `## ${section.title}\n\n${section.intro}\n\n${table(properties, section.prefix)}\n`;
  });
  return `<!-- Generated from the TSDoc of the options by scripts/docs.ts: change it there. -->

# Configuration

Every option has a default. In development none is needed: mail is captured, and shown under \`/mail/\`. In production the
relay does not start without a secret, a public URL and a route; the error says which is missing.

An option that is given in code goes before its environment variable. A variable that is empty counts as absent, and blanks
around its value do not belong to it. An option that does not exist, or a value that it cannot have, is an error that names it.

\`\`\`ts
import { createMailRelay, smtp, sqlite } from '@mailrelay/core';

const relay = createMailRelay({
  publicUrl: 'https://app.example.com',
  secret: 'at least sixteen characters',
  from: 'Acme <hello@acme.example>',
  store: sqlite('data/mail.db'),
  routes: [smtp('smtp://localhost:1025', { name: 'provider', rate: '14/s' })],
  queue: { retryFirstMs: 30_000 },
});

await relay.start();
console.log(relay.publicUrl); // https://app.example.com
await relay.stop();
\`\`\`

${sections.join('\n')}`;
}

function table(properties: readonly DocumentedProperty[], prefix: string): string {
  const rows = properties.map(({ name, text, default: standard, env }) => {
    const cells = [`\`${prefix}${name}\``, text, standard ?? '', variables(env)];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| Option | What it does | Default | Variable |', '|---|---|---|---|', ...rows].join('\n');
}

function variables(env: string | undefined): string {
  return env?.replace(/\b(?:[A-Z]+_[A-Z_]+)\b/g, '`$&`') ?? '';
}
