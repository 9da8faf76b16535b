import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { command, folderWith, mjml } from './support.ts';

const good = mjml('Hello {{name}}', '<mj-text>Hi <a href="https://acme.example/{{name}}">there</a></mj-text>');

async function checked(files: Readonly<Record<string, string>>, ...more: string[]) {
  const folder = folderWith(files);
  const { code, printed } = await command(
    'templates',
    'check',
    folder,
    ...more.map((one) => one.replace('FOLDER', folder)),
  );
  return { code, lines: printed.split('\n') };
}

describe('templates check', () => {
  it('finds nothing in templates that are right, in every language', async () => {
    const files = { 'a.mjml': good, 'a.fr.mjml': good, 'a.data.json': '{"name":"Ada"}' };
    expect(await checked(files)).toEqual({ code: 0, lines: ['2 checked, nothing wrong'] });
  });

  it('finds variables that the sample data lacks, with file and line', async () => {
    const { code, lines } = await checked({ 'a.mjml': good, 'a.data.json': '{}' });
    expect(code).toBe(1);
    expect(lines[0]).toMatch(/^a\.mjml: .*name.*a\.mjml/);
    expect(lines.at(-1)).toBe('1 checked, 1 wrong');
  });

  it('makes values up where there is no sample data, and says so', async () => {
    expect(await checked({ 'a.mjml': good })).toEqual({
      code: 0,
      lines: ['a: no sample data; checked with values made up', '1 checked, nothing wrong'],
    });
  });

  it('finds what a schema does not let through', async () => {
    const schemas = `const names = (allowed) => ({ '~standard': { version: 1, vendor: 'test', validate: (value) =>
      allowed.every((key) => key in value)
        ? { value: Object.fromEntries(allowed.map((key) => [key, value[key]])) }
        : { issues: [{ message: 'is missing', path: [allowed.find((key) => !(key in value))] }] } } });
      export default { a: names(['title']), b: names(['age']) };`;
    const files = {
      'a.mjml': good,
      'b.mjml': good,
      'schemas.mjs': schemas,
      'data.json': '{"a":{"title":"Dr","name":"Ada"},"b":{"name":"Ada"}}',
    };
    const { code, lines } = await checked(files, '--schemas', 'FOLDER/schemas.mjs', '--data', 'FOLDER/data.json');
    expect(code).toBe(1);
    expect(lines[0]).toMatch(/^a\.mjml: .*name/);
    expect(lines[1]).toBe('b.mjml: its sample data does not fit its schema: age: is missing');
  });

  it.each([
    ['<a href="">Confirm</a>', 'the link "Confirm" leads nowhere'],
    ['<a href="#"><img alt="Logo" src="https://a.example/l.png"></a>', 'the link "Logo" leads nowhere'],
    ['<a href="/confirm">Confirm</a>', 'the link "Confirm" has no address that works in a mail: /confirm'],
    ['<a href="http://localhost:3000/x">x</a>', 'the link "x" leads to this machine: http://localhost:3000/x'],
    ['<img src="https://a.example/l.png">', 'the picture https://a.example/l.png has no alt text'],
    [`<p>${'long '.repeat(21_000)}</p>`, 'its HTML has 103 KB; Gmail cuts off what is over 102 KB'],
  ])('finds in %.40s that %s', async (html, problem) => {
    const { code, lines } = await checked({ 'a.html': `---\nsubject: s\n---\n${html}` });
    expect([code, lines[0]]).toEqual([1, `a.html: ${problem}`]);
  });

  it('takes pictures that say nothing, addresses for writing and calling, and the links of the relay', async () => {
    const html = `<img alt="" src="https://a.example/l.png"><a href="mailto:a@b.example">m</a><a href="tel:1">t</a>
      <a href="{{unsubscribeUrl}}">u</a>`;
    expect((await checked({ 'a.html': `---\nsubject: s\n---\n${html}` })).code).toBe(0);
  });

  it('finds a mail without a subject', async () => {
    expect((await checked({ 'a.html': '<p>x</p>' })).lines[0]).toBe('a.html: it has no subject');
  });
});

describe('the command line', () => {
  it.each([
    [['templates', 'build', 'emails'], /build needs --out/],
    [['templates', 'mend', 'emails'], /There is no command mend/],
    [['templates', 'check'], /check takes one folder/],
    [['templates', 'preview', 'emails', '--port', 'x'], /--port is a number/],
    [['templates', 'check', 'emails', '--fast'], /Unknown option '--fast'/],
    [['templates', 'build', 'emails', '--out', 'x.ts', '--online'], /build has no option --online/],
    [['templates', 'constructor', 'emails'], /There is no command constructor/],
    [[], /No command is given/],
  ])('%j is explained', async (argv, message) => {
    const { code, complaints } = await command(...argv);
    expect(code).toBe(2);
    expect(complaints).toMatch(message);
    expect(complaints).toContain('Usage:');
  });

  it.each([
    ['none.json', /none\.json cannot be read: ENOENT/],
    ['broken.json', /broken\.json cannot be read: .*JSON/],
    ['broken.mjs', /broken\.mjs cannot be read: /],
  ])('explains that sample data is in no state to be read: %s', async (name, message) => {
    const folder = folderWith({ 'a.html': '<p>x</p>', 'broken.json': '{bad', 'broken.mjs': 'export default {' });
    const { code, complaints } = await command('templates', 'check', folder, '--data', join(folder, name));
    expect([code, complaints]).toEqual([1, expect.stringMatching(message)]);
    expect(complaints.split('\n')).toHaveLength(1);
  });

  it.each([
    ['--data', 'null.json', /must have an object/],
    ['--data', 'list.json', /must have an object/],
    ['--schemas', 'null.json', /must have an object/],
    ['--schemas', 'no-schema.json', /no-schema\.json: what it has for a is no Standard Schema/],
  ])('explains what %s cannot be: %s', async (option, name, message) => {
    const folder = folderWith({ 'a.html': good, 'null.json': 'null', 'list.json': '[1]', 'no-schema.json': '{"a":1}' });
    const { code, complaints } = await command('templates', 'check', folder, option, join(folder, name));
    expect([code, complaints]).toEqual([1, expect.stringMatching(message)]);
    expect(complaints.split('\n')).toHaveLength(1);
  });

  it.each([['check'], ['build', '--out', 'emails.ts']])(
    'does not call a folder without templates right: %s',
    async (...argv) => {
      const [name = '', ...more] = argv;
      const folder = folderWith({ 'partials/a.html': 'x' });
      expect(await command('templates', name, folder, ...more)).toEqual({
        code: 1,
        printed: '',
        complaints: `${folder} has no template: they end in .mjml, .html or .hbs`,
      });
    },
  );

  it('explains that the port of the preview is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const folder = folderWith({ 'a.html': '<p>x</p>' });
    const { code, complaints } = await command('templates', 'preview', folder, '--port', String(port));
    expect([code, complaints]).toEqual([
      1,
      expect.stringMatching(/^port \d+ cannot be used: .*EADDRINUSE.*; --port names another$/),
    ]);
  });

  it('tells how it is used, its version, and a folder that is not there', async () => {
    expect(await command('--help')).toMatchObject({ code: 0, printed: expect.stringContaining('templates preview') });
    expect((await command('--version')).printed).toMatch(/^\d+\.\d+\.\d+$/);
    const missing = join(folderWith({}), 'none');
    expect(await command('templates', 'check', missing)).toMatchObject({
      code: 1,
      complaints: expect.stringContaining(missing),
    });
  });
});
