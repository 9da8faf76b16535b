import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isPrivateAddress, isReservedHost } from '../../packages/cli/src/addresses.ts';
import { askLinks } from '../../packages/cli/src/links.ts';
import { freePort } from '../support/programs.ts';
import { command, folderWith } from './support.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A site on this machine, until the test ends. */
async function site(answer: Answer, host = '127.0.0.1') {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://${host}:${(server.address() as AddressInfo).port}`, asked };
}

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(code, headers).end();

async function checked(html: string | Readonly<Record<string, string>>, ...options: string[]) {
  const bodies = typeof html === 'string' ? { 'a.html': html } : html;
  const files = Object.entries(bodies).map(([name, body]) => [name, `---\nsubject: s\n---\n${body}`]);
  const { code, printed } = await command('templates', 'check', folderWith(Object.fromEntries(files)), ...options);
  return { code, lines: printed.split('\n') };
}

const online = ['--online', '--allow-private'];

describe('templates check --online', () => {
  it('finds links that do not answer, among others that do', async () => {
    const { url } = await site((request, response) => status(request.url === '/gone' ? 404 : 200)(request, response));
    const { code, lines } = await checked(`<a href="${url}/">Shop</a><a href="${url}/gone">Confirm</a>`, ...online);
    expect(code).toBe(1);
    expect(lines).toEqual([`a.html: the link "Confirm" answers 404: ${url}/gone`, '1 checked, 1 wrong']);
  });

  it('finds nothing where all answer', async () => {
    const { url } = await site(status(204));
    expect(await checked(`<a href="${url}/">Shop</a>`, ...online)).toEqual({
      code: 0,
      lines: ['1 checked, nothing wrong'],
    });
  });

  it('asks nobody without --online', async () => {
    const { url, asked } = await site(status(404));
    const { lines } = await checked(`<a href="${url}/">Shop</a>`);
    expect(lines[0]).toBe(`a.html: the link "Shop" leads to this machine: ${url}/`);
    expect(asked).toEqual([]);
  });

  it('asks each page once, however many mails link to it, and names it in each', async () => {
    const { url, asked } = await site(status(410));
    const body = `<a href="${url}/a">One</a><a href="${url}/a#place">Two</a><a href="${url}/a">One</a>`;
    const { lines } = await checked({ 'a.html': body, 'b.html': `<a href="${url}/a">Three</a>` }, ...online);
    expect(asked).toEqual(['HEAD /a', 'GET /a']);
    expect(lines).toEqual([
      `a.html: the link "One" answers 410: ${url}/a`,
      `a.html: the link "Two" answers 410: ${url}/a#place`,
      `b.html: the link "Three" answers 410: ${url}/a`,
      '2 checked, 3 wrong',
    ]);
  });

  it.each([405, 500])('asks with GET where HEAD answers %i', async (code) => {
    const { url, asked } = await site((request, response) =>
      status(request.method === 'HEAD' ? code : 200)(request, response),
    );
    expect((await checked(`<a href="${url}/">x</a>`, ...online)).code).toBe(0);
    expect(asked).toEqual(['HEAD /', 'GET /']);
  });

  it('asks with GET where HEAD breaks off', async () => {
    const { url } = await site((request, response) =>
      request.method === 'HEAD' ? void request.socket.destroy() : status(200)(request, response),
    );
    expect((await checked(`<a href="${url}/">x</a>`, ...online)).code).toBe(0);
  });

  it('does not wait for a body that never ends', async () => {
    const { url } = await site((request, response) => {
      if (request.method === 'HEAD') return status(405)(request, response);
      response.writeHead(200);
      response.write('and so on');
    });
    expect((await checked(`<a href="${url}/">x</a>`, ...online)).code).toBe(0);
  });

  it('gives up after the time that --timeout says', async () => {
    const { url } = await site(() => {});
    const { code, lines } = await checked(`<a href="${url}/slow">x</a>`, ...online, '--timeout', '0.2');
    expect(code).toBe(1);
    expect(lines[0]).toBe(`a.html: the link "x" does not answer within 0.2 s: ${url}/slow`);
  });

  it('says why nobody answers', async () => {
    const { url } = await site(status(200));
    const port = await freePort();
    const dead = `http://127.0.0.1:${port}/`;
    const { lines } = await checked(`<a href="${url}/">x</a><a href="${dead}">y</a>`, ...online);
    expect(lines[0]).toBe(`a.html: the link "y" does not answer (ECONNREFUSED): ${dead}`);
  });

  it('follows redirects, and says where they end', async () => {
    const { url } = await site((request, response) => {
      const hop = Number(request.url?.slice(1));
      if (hop === 0) status(200)(request, response);
      else if (hop === 9) status(404)(request, response);
      else status(302, { location: hop === 10 ? '/9' : `/${hop - 1}` })(request, response);
    });
    const { lines } = await checked(
      ['5', '8', '10'].map((hop) => `<a href="${url}/${hop}">${hop}</a>`).join(''),
      ...online,
    );
    expect(lines).toEqual([
      `a.html: the link "8" is redirected more than 5 times: ${url}/8`,
      `a.html: the link "10" answers 404 at ${url}/9: ${url}/10`,
      '1 checked, 2 wrong',
    ]);
  });

  it('takes a redirect to another program as an answer, and one to nowhere as a problem', async () => {
    const { url } = await site((request, response) =>
      status(301, { location: request.url === '/app' ? 'itms-apps://shop/1' : 'http://' })(request, response),
    );
    const { lines } = await checked(`<a href="${url}/app">a</a><a href="${url}/bad">b</a>`, ...online);
    expect(lines).toEqual([
      `a.html: the link "b" is redirected to an address that cannot be read: ${url}/bad`,
      '1 checked, 1 wrong',
    ]);
  });

  it('asks at most eight links at once', async () => {
    let open = 0;
    let most = 0;
    const { url, asked } = await site((request, response) => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        status(200)(request, response);
      }, 20);
    });
    const links = Array.from({ length: 30 }, (_, index) => `<a href="${url}/${index}">x</a>`);
    expect((await checked(links.join(''), ...online)).code).toBe(0);
    expect(asked).toHaveLength(30);
    expect(most).toBe(8);
  });

  it('refuses this machine and its network, unless it is told otherwise', async () => {
    const { url, asked } = await site(status(200));
    const { port } = new URL(url);
    const mapped = `http://[::ffff:7f00:1]:${port}/`;
    const { code, lines } = await checked(
      `<a href="${url}/">a</a><a href="http://localhost:${port}/">b</a><a href="${mapped}">c</a><a href="http://10.0.0.1/">d</a>`,
      '--online',
    );
    expect(code).toBe(1);
    expect(lines).toEqual([
      `a.html: the link "a" leads to this machine: ${url}/`,
      `a.html: the link "b" leads to this machine: http://localhost:${port}/`,
      `a.html: the link "c" leads to the private address ::ffff:7f00:1, which is not asked without --allow-private: ${mapped}`,
      'a.html: the link "d" leads to the private address 10.0.0.1, which is not asked without --allow-private: http://10.0.0.1/',
      '1 checked, 4 wrong',
    ]);
    expect(asked).toEqual([]);
    expect((await checked(`<a href="http://localhost:${port}/">b</a>`, ...online)).code).toBe(0);
  });

  it('asks nothing in the domains of examples, and everything else', async () => {
    const hosts = ['example.com', 'www.example.org', 'example.net.', 'shop.example', 'a.test', 'nothing.invalid'];
    const html = hosts.map((host) => `<a href="http://${host}/">x</a>`).join('');
    expect((await checked(html, '--online')).code).toBe(0);
  });

  it.each([
    [['--timeout', '5'], /--timeout goes with --online/],
    [['--allow-private'], /--allow-private goes with --online/],
    [['--online', '--timeout', '0'], /--timeout is a number of seconds/],
    [['--online', '--timeout', 'soon'], /--timeout is a number of seconds/],
    [['--port', '1'], /check has no option --port/],
  ])('explains %j', async (options, message) => {
    const { code, complaints } = await command('templates', 'check', 'emails', ...options);
    expect(code).toBe(2);
    expect(complaints).toMatch(message);
  });
});

describe('asking links', () => {
  it('refuses by the address that a name has, and in redirects as well', async () => {
    const inner = await site(status(200), '127.0.0.2');
    const outer = await site(status(302, { location: `${inner.url}/admin` }));
    const { port } = new URL(outer.url);
    const refusing = (refused: string) =>
      askLinks([outer.url, `http://localhost:${port}/`], {
        timeoutMs: 5000,
        refuses: (address) => address === refused || address === '::1',
      });
    expect([...(await refusing('127.0.0.1')).values()]).toEqual([
      'leads to the private address 127.0.0.1, which is not asked without --allow-private',
      expect.stringMatching(/^leads to the private address (?:127\.0\.0\.1|::1),/),
    ]);
    expect(outer.asked).toEqual([]);
    for (const problem of (await refusing('127.0.0.2')).values())
      expect(problem).toMatch(/^leads to the private address 127\.0\.0\.2, .* at http:\/\/127\.0\.0\.2:\d+\/admin$/);
    expect(outer.asked).toHaveLength(4);
    expect(inner.asked).toEqual([]);
  });

  it.each([
    ['example.com', true],
    ['EXAMPLE.com', true],
    ['mail.example.org', true],
    ['example.net.', true],
    ['acme.example', true],
    ['test', true],
    ['notexample.com', false],
    ['example.com.evil.dev', false],
    ['my-example.org', false],
    ['contest', false],
    ['example.co', false],
    ['invalid.dev', false],
  ])('%s is reserved: %s', (host, reserved) => {
    expect(isReservedHost(host)).toBe(reserved);
  });

  it.each([
    ['127.1.2.3', true],
    ['10.255.0.1', true],
    ['172.16.0.1', true],
    ['172.32.0.1', false],
    ['192.168.1.1', true],
    ['169.254.169.254', true],
    ['100.64.0.1', true],
    ['0.0.0.0', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['fe80::1%eth0', true],
    ['fd00::1', true],
    ['93.184.216.34', false],
    ['2606:2800:220:1::1', false],
  ])('%s is private: %s', (address, inside) => {
    expect(isPrivateAddress(address)).toBe(inside);
  });
});
