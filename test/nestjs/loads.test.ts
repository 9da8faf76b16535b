import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { scratchFolder } from '../support/relay.ts';
import { DECORATOR_ARGUMENTS } from '../support/source.ts';

const LOADS = `--import=${new URL('../support/loads.ts', import.meta.url).href}`;
const CHILD = join(import.meta.dirname, 'start.child.ts');

/** What a start of an application loads, each line once. */
async function loads(store: string, templates: string): Promise<ReadonlySet<string>> {
  const { stderr } = await promisify(execFile)(
    process.execPath,
    [...DECORATOR_ARGUMENTS, LOADS, CHILD, store, templates],
    { timeout: 60_000 },
  );
  return new Set(stderr.split('\n'));
}

it('a start loads mjml only where a template has to be compiled, and never in the thread of the host, nor what sends mail', async () => {
  const [store, templates] = [join(scratchFolder(), 'relay.db'), join(scratchFolder(), 'emails')];
  mkdirSync(templates);
  writeFileSync(join(templates, 'plain.hbs'), 'Hello {{name}}');
  const plain = await loads(store, templates);
  expect(plain).toContain('host loads @nestjs/core');
  expect(plain).toContain('thread loads handlebars');
  expect(plain).toContain('thread loads tldts');
  expect([...plain].filter((line) => /mjml/.test(line))).toEqual([]);

  writeFileSync(
    join(templates, 'rich.mjml'),
    '<mjml><mj-body><mj-section><mj-column><mj-text>{{name}}</mj-text></mj-column></mj-section></mj-body></mjml>',
  );
  const compiling = await loads(store, templates);
  expect(compiling).toContain('thread loads mjml');
  const again = await loads(store, templates);
  for (const lines of [compiling, again]) {
    expect(
      [...lines].filter((line) =>
        /^host loads (mjml|nodemailer\/lib\/(?!addressparser)|kysely|handlebars|postal-mime|tldts)/.test(line),
      ),
    ).toEqual([]);
  }
  // The store has what was compiled before.
  expect(again).not.toContain('thread loads mjml');
});
