import { describe, expect, it } from 'vitest';
import { capturedMails, inboxBench } from './inbox-support.ts';

describe('the development inbox', () => {
  it('lists captured mail in the order of the engine, with sender, recipient, subject and size', async () => {
    const { ask } = inboxBench();
    const page = (await (await ask('/mail/'))?.text()) ?? '';
    expect(page.indexOf('Spring &amp; summer')).toBeGreaterThan(-1);
    expect(page.indexOf('Spring &amp; summer')).toBeLessThan(page.indexOf('Plain words'));
    expect(page).toContain('Acme &lt;hello@acme.example&gt;');
    expect(page).toContain('Zoë &lt;zoe@example.com&gt;');
    expect(page).toContain('2026-05-01 12:00:00');
    expect(page).toContain('KB</td>');
  });

  it('says so where there is no mail yet', async () => {
    const { ask } = inboxBench({});
    expect(await (await ask('/mail/'))?.text()).toContain('No mail yet');
  });

  it.each([
    ['localhost:3000', 200],
    ['app.localhost', 200],
    ['127.0.0.2:80', 200],
    ['[::1]:3000', 200],
    ['APP.example:8443', 200],
    ['evil.example', 404],
    ['127.0.0.1.evil.example', 404],
    ['192.168.1.20:3000', 404],
    ['app.example.evil.example', 404],
  ])('answers to this machine and the public URL alone: %s', async (host, status) => {
    const { ask } = inboxBench();
    for (const path of ['/mail/', '/mail/inbox/spring', '/mail/inbox/spring/source'])
      expect((await ask(path, { headers: { host } }))?.status).toBe(status);
  });

  it('is reached without its last slash, too', async () => {
    const { ask } = inboxBench();
    const response = await ask('/mail');
    expect([response?.status, response?.headers.get('location')]).toEqual([302, './mail/']);
  });

  it('reads the lines of the list once per mail', async () => {
    const { ask, asked } = inboxBench();
    await ask('/mail/');
    await ask('/mail/');
    expect(asked.length).toBe(Object.keys(capturedMails).length);
  });

  it.each([
    ['text', 'Hello Zoë &amp; all'],
    ['headers', '<th>X-Campaign</th><td>&lt;script&gt;alert(1)&lt;/script&gt;</td>'],
    ['links', 'href="https://shop.example/?a=1&amp;b=2"'],
    ['attachments', 'prices – été.csv</a>'],
  ])('shows the %s of a mail', async (tab, part) => {
    const { ask } = inboxBench();
    const page = await (await ask(`/mail/inbox/spring?tab=${tab}`))?.text();
    expect(page).toContain(part);
    expect(page).toContain(`<a href="?tab=${tab}" aria-current="page">`);
  });

  it('shows links of other schemes without linking them', async () => {
    const { ask } = inboxBench();
    const page = await (await ask('/mail/inbox/spring?tab=links'))?.text();
    expect(page).toContain('<td>javascript:alert(1)</td>');
  });

  it('shows the HTML in a sandboxed frame, and lets it run no scripts', async () => {
    const { ask } = inboxBench();
    expect(await (await ask('/mail/inbox/spring'))?.text()).toMatch(/<iframe sandbox="[^"]*" src="spring\/html"/);
    const frame = await ask('/mail/inbox/spring/html');
    expect(frame?.headers.get('content-security-policy')).toMatch(
      /^sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'/,
    );
    expect(frame?.headers.get('x-frame-options')).toBe('SAMEORIGIN');
  });

  it('takes pictures inside of the mail from its attachments', async () => {
    const { ask } = inboxBench();
    const frame = await (await ask('/mail/inbox/spring/html'))?.text();
    expect(frame).toContain('<img src="attachments/0"');
    const picture = await ask('/mail/inbox/spring/attachments/0');
    expect(picture?.headers.get('content-type')).toBe('image/gif');
    expect((await picture?.arrayBuffer())?.byteLength).toBe(43);
  });

  it('hands out attachments as downloads under their names', async () => {
    const { ask } = inboxBench();
    const file = await ask('/mail/inbox/spring/attachments/1');
    expect(file?.headers.get('content-disposition')).toBe(
      "attachment; filename*=UTF-8''prices%20%E2%80%93%20%C3%A9t%C3%A9.csv",
    );
    expect(await file?.text()).toBe('a;b\r\n1;2');
  });

  it('shows the source byte for byte as plain text', async () => {
    const { ask } = inboxBench();
    const source = await ask('/mail/inbox/plain/source');
    expect(source?.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await source?.text()).toBe(capturedMails.plain);
  });

  it.each([
    'inbox/gone',
    'inbox/gone/html',
    'inbox/gone/source',
    'inbox/plain/html',
    'inbox/spring/attachments/9',
    'inbox/spring/attachments/x',
  ])('answers 404 for %s', async (path) => {
    const { ask } = inboxBench();
    expect((await ask(`/mail/${path}`))?.status).toBe(404);
  });

  it('cannot be framed, cached or indexed', async () => {
    const { ask } = inboxBench();
    for (const path of ['/mail/', '/mail/inbox/spring']) {
      const headers = (await ask(path))?.headers;
      expect(headers?.get('x-frame-options')).toBe('DENY');
      expect(headers?.get('cache-control')).toBe('no-store');
      expect(headers?.get('content-security-policy')).toMatch(/^default-src 'none'/);
    }
  });
});
