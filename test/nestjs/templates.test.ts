import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defineTemplate, isMailRelayError } from '@mailrelay/core';
import { getMailRelayToken, MailRelayModule, type MailRelayService } from '@mailrelay/nestjs';
import { NestFactory } from '@nestjs/core';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { findTemplateFolder } from '../../packages/nestjs/src/template-folder.ts';
import { scratchFolder } from '../support/relay.ts';
import { IN_MEMORY, moduleOf } from './support.ts';

/** A project with these files. */
function project(...files: readonly string[]): string {
  const root = scratchFolder();
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), 'Hello {{name}}');
  }
  return root;
}

async function relayOf(imports: Parameters<typeof moduleOf>[0]['imports'], name?: string): Promise<MailRelayService> {
  const app = await NestFactory.createApplicationContext(moduleOf({ imports: imports ?? [] }), {
    logger: false,
    abortOnError: false,
  });
  onTestFinished(() => app.close());
  return app.get<MailRelayService>(getMailRelayToken(name));
}

describe('templates', () => {
  it('come from the application and from its feature modules', async () => {
    const root = project('emails/welcome.hbs', 'orders/emails/order.hbs');
    const receipt = defineTemplate({ name: 'receipt', html: 'Receipt {{name}}' });
    const folder = join(root, 'orders/emails');
    const orders = moduleOf({ imports: [MailRelayModule.forFeature({ templates: folder })] });
    const again = moduleOf({ imports: [MailRelayModule.forFeature({ templates: { folder, templates: [receipt] } })] });
    // The order of modules is of no account.
    const relay = await relayOf([
      orders,
      MailRelayModule.forRoot({ ...IN_MEMORY, templates: join(root, 'emails') }),
      again,
    ]);
    const texts = ['welcome', 'order', 'receipt'].map(
      async (name) => (await relay.templates.render(name, { name: 'Ada' })).text,
    );
    expect(await Promise.all(texts)).toEqual(['Hello Ada', 'Hello Ada', 'Receipt Ada']);
  });

  it('go to the relay that a feature names', async () => {
    const root = project('billing/invoice.hbs');
    const billing = { ...IN_MEMORY, name: 'billing' };
    const feature = MailRelayModule.forFeature({ relay: 'billing', templates: join(root, 'billing') });
    const relay = await relayOf([MailRelayModule.forRoot(IN_MEMORY), MailRelayModule.forRoot(billing), feature]);
    await expect(relay.templates.render('invoice', {})).rejects.toMatchObject({ code: 'TEMPLATE_NOT_FOUND' });
    const alone = await relayOf([feature, MailRelayModule.forRoot(billing)], 'billing');
    expect((await alone.templates.render('invoice', { name: 'Ada' })).text).toBe('Hello Ada');
  });

  it('stop the start where one does not compile, and where two have one name', async () => {
    const root = project('one/welcome.hbs', 'two/welcome.hbs', 'three/broken.hbs');
    writeFileSync(join(root, 'three/broken.hbs'), '{{#if name}}');
    const start = (...folders: string[]) =>
      relayOf([
        MailRelayModule.forRoot({ ...IN_MEMORY, templates: { folder: folders.map((name) => join(root, name)) } }),
      ]);
    await expect(start('three')).rejects.toThrow(/three\/broken\.hbs/);
    await expect(start('one', 'two')).rejects.toThrow(/two templates have the name welcome/);
  });

  it('stop the start where the folder is missing, with every path that was tried and the lines that copy it', async () => {
    const feature = moduleOf({ imports: [MailRelayModule.forFeature({ templates: 'nowhere/emails' })] });
    await expect(relayOf([MailRelayModule.forRoot(IN_MEMORY), feature])).rejects.toMatchObject({
      code: 'TEMPLATE_FOLDER_MISSING',
      details: { tried: [join(process.cwd(), 'nowhere/emails'), join(process.cwd(), 'src/nowhere/emails')] },
      message: expect.stringContaining(
        '{"assets":[{"include":"nowhere/emails/**/*","outDir":"dist"}],"watchAssets":true}',
      ),
    });
  });
});

describe('a template folder', () => {
  const find = (cwd: string, program: string | undefined, folder: string) => {
    const warn = vi.fn();
    try {
      return {
        found: findTemplateFolder(folder, { warn }, { cwd, program }),
        warned: warn.mock.calls.flatMap(([fields, message]) => [message, JSON.stringify(fields)]).join(' '),
      };
    } catch (error) {
      return { found: undefined, warned: '', error };
    }
  };

  it('is found beside the compiled program, also where that lies in dist/src', () => {
    const root = project('dist/emails/a.hbs', 'dist/src/emails/a.hbs', 'src/emails/a.hbs');
    expect(find(root, join(root, 'dist/main.js'), './emails')).toEqual({
      found: join(root, 'dist/emails'),
      warned: '',
    });
    expect(find(root, join(root, 'dist/src/main.js'), 'emails').found).toBe(join(root, 'dist/src/emails'));
  });

  it('is found in the working directory, and beside a program that is not compiled', () => {
    const root = project('emails/a.hbs', 'src/mails/a.hbs');
    expect(find(root, join(root, 'dist/main.js'), 'emails')).toEqual({ found: join(root, 'emails'), warned: '' });
    expect(find(root, join(root, 'src/main.ts'), 'mails')).toEqual({ found: join(root, 'src/mails'), warned: '' });
    expect(find(root, join(root, 'node_modules/vitest/vitest.mjs'), 'mails').found).toBe(join(root, 'src/mails'));
  });

  it.each([
    ['dist/main.js', 'emails', 'src/emails', 'emails/**/*', 'dist'],
    ['dist/src/main.js', 'emails', 'src/emails', 'emails/**/*', 'dist/src'],
    ['dist/apps/api/main.js', 'emails', 'apps/api/src/emails', 'emails/**/*', 'dist/apps/api'],
    ['dist/main.js', 'ROOT/dist/orders/emails', 'src/orders/emails', 'orders/emails/**/*', 'dist'],
  ])(
    'that %s does not find as %s comes from %s, with a warning that says what to copy',
    (program, folder, source, include, outDir) => {
      const root = project(`${source}/a.hbs`);
      const { found, warned } = find(root, join(root, program), folder.replace('ROOT', root));
      expect(found).toBe(join(root, source));
      expect(warned).toContain(JSON.stringify({ assets: [{ include, outDir }], watchAssets: true }));
    },
  );

  it('that was compiled without its templates is passed over, or an error', () => {
    const left = 'dist/mail/mail.module.js';
    const root = project(left, 'dist/mail/partials/footer.hbs', 'src/mail/mail.module.ts', 'src/mail/welcome.hbs');
    const { found, warned } = find(root, join(root, 'dist/main.js'), 'mail');
    expect(found).toBe(join(root, 'src/mail'));
    expect(warned).toContain('{"assets":[{"include":"mail/**/*","outDir":"dist"}],"watchAssets":true}');
    const deployed = project(left);
    const { error } = find(deployed, join(deployed, 'dist/main.js'), 'mail');
    expect(error).toMatchObject({
      code: 'TEMPLATE_FOLDER_MISSING',
      details: { tried: ['dist/mail', 'mail', 'src/mail'].map((path) => join(deployed, path)) },
      message: expect.stringMatching(/dist\/mail \(no template in it\), .*"include":"mail\/\*\*\/\*"/),
    });
  });

  it('that was copied in part is taken, with a warning that names what is missing', () => {
    const root = project('dist/emails/a.mjml', 'src/emails/a.mjml', 'src/emails/account/b.hbs');
    const { found, warned } = find(root, join(root, 'dist/main.js'), 'emails');
    expect(found).toBe(join(root, 'dist/emails'));
    expect(warned).toContain('templates of the sources are not beside the program');
    expect(warned).toContain('"missing":"account/b.hbs"');
    expect(warned).toContain('"include":"emails/**/*"');
    const whole = project('dist/emails/a.mjml', 'src/emails/a.mjml');
    expect(find(whole, join(whole, 'dist/main.js'), 'emails').warned).toBe('');
  });

  it('that is nowhere is an error with every path', () => {
    const root = project('package.json');
    const { error } = find(root, join(root, 'dist/src/main.js'), 'emails');
    expect(isMailRelayError(error) && error.details.tried).toEqual(
      ['dist/src/emails', 'emails', 'src/emails'].map((path) => join(root, path)),
    );
    expect(String(error)).toContain('"outDir":"dist/src"');
  });
});
