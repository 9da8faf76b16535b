import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { relayWith, scratchFolder } from '../../support/relay.ts';

const mjml = (head = '') =>
  `<mjml>${head}<mj-body><mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section></mj-body></mjml>`;
const document = (head: string, attributes = '') =>
  `<!doctype html><html${attributes}><head>${head}</head><body>Hello</body></html>`;
const FILES = {
  'a.mjml': `---\nsubject: Tom & {{name}} <3\n---\n${mjml()}`,
  'a.fr.mjml': `---\nsubject: Bonjour {{{name}}}\n---\n${mjml()}`,
  'own.fr.mjml': `---\nsubject: S\n---\n${mjml('<mj-head><mj-title>Own {{name}}</mj-title></mj-head>').replace('<mjml>', '<mjml lang="de">')}`,
  'page.fr-CA.html': `---\nsubject: Page {{name}}\n---\n${document('<meta charset="utf-8">', ' dir="ltr"')}`,
  'told.fr.html': `---\nsubject: S\n---\n${document('<title>Own</title>', ' lang="nl"')}`,
  'piece.fr.html': '---\nsubject: S\n---\n<p>Hello</p>',
};

it('the HTML of a mail has its subject as title, and its language, where the author gave none', async () => {
  const folder = scratchFolder();
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  const relay = relayWith({ thread: false, templates: folder });
  const html = async (name: string, locale?: string) =>
    (await relay.templates.render(name, { name: '<Ada>' }, { locale })).html ?? '';

  expect(await html('a')).toContain('<title>Tom &amp; &lt;Ada&gt; &lt;3</title>');
  expect(await html('a')).toContain('lang="und"');
  const french = await html('a', 'fr');
  expect(french).toContain('<title>Bonjour &lt;Ada&gt;</title>');
  expect([french.includes('lang="fr"'), french.includes('und')]).toEqual([true, false]);

  const own = await html('own', 'fr');
  expect(own.match(/<title>[^<]*<\/title>/g)).toEqual(['<title>Own &lt;Ada&gt;</title>']);
  expect([own.includes('lang="de"'), own.includes('lang="fr"')]).toEqual([true, false]);

  const page = await html('page', 'fr-CA');
  expect(page).toContain('<html lang="fr-CA" dir="ltr"><head><title>Page &lt;Ada&gt;</title>');
  expect(await html('told', 'fr')).toContain('<html lang="nl"><head><title>Own</title></head>');
  expect(await html('piece', 'fr')).toBe('<p>Hello</p>');
});
