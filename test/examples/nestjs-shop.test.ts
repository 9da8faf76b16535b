import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MailRelayService } from '@mailrelay/nestjs';
import { SchedulerRegistry } from '@nestjs/schedule';
import { type ParsedMail, simpleParser } from 'mailparser';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createShop } from '../../examples/nestjs-shop/src/shop.ts';
import { awayFromMidnight } from '../support/midnight.ts';
import { freePort } from '../support/programs.ts';
import { scratchFolder } from '../support/relay.ts';
import { type Inbox, smtpServer } from '../support/smtp.ts';
import { DECORATOR_ARGUMENTS } from '../support/source.ts';

const ROOT = join(import.meta.dirname, '../..');
const SHOP = join(ROOT, 'examples/nestjs-shop');

/** An SMTP server where nobody lives at `gone.example`. */
const world = (): Promise<Inbox> =>
  smtpServer({
    onRcptTo({ address }, _session, done) {
      const gone = address.endsWith('@gone.example');
      done(gone ? Object.assign(new Error('5.1.1 No such user'), { responseCode: 550 }) : undefined);
    },
  });

async function environment(inbox: Inbox) {
  const port = await freePort();
  return {
    PORT: String(port),
    MAIL_RELAY_PUBLIC_URL: `http://127.0.0.1:${port}`,
    MAIL_RELAY_SECRET: 'a secret of enough length',
    MAIL_RELAY_SMTP_URL: `smtp://127.0.0.1:${inbox.port}`,
    MAIL_RELAY_STORE: join(scratchFolder(), 'relay.db'),
  };
}

/** The mail with this subject, once it has arrived. */
async function arrived(inbox: Inbox, to: string, subject: string): Promise<ParsedMail> {
  return vi.waitUntil(
    async () => {
      for (const mail of inbox.mails.filter((one) => one.to === to)) {
        const parsed = await simpleParser(mail.source);
        if (parsed.subject === subject) return parsed;
      }
      return undefined;
    },
    { timeout: 20_000, interval: 50 },
  );
}

interface Account {
  readonly id: string;
  readonly confirmed: boolean;
  readonly disabled?: string;
}

function client(url: string) {
  const post = (path: string, body: object) =>
    fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return {
    post,
    signUp: async (email: string, name: string) => (await (await post('/accounts', { email, name })).json()) as Account,
    account: async (id: string) => (await (await fetch(`${url}/accounts/${id}`)).json()) as Account,
  };
}

describe.each(['express', 'fastify'] as const)('the shop on %s', (platform) => {
  async function shop() {
    const inbox = await world();
    const env = await environment(inbox);
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    const app = await createShop(platform);
    onTestFinished(() => app.close());
    await app.listen(env.PORT, '127.0.0.1');
    return { app, inbox, url: env.MAIL_RELAY_PUBLIC_URL, ...client(env.MAIL_RELAY_PUBLIC_URL) };
  }

  it('confirms accounts, sends orders with a PDF, disables bouncing accounts, and sends the digest to who is left', async () => {
    const { app, inbox, url, post, signUp, account } = await shop();

    const ada = await signUp('ada@example.com', 'Ada');
    const gone = await signUp('nobody@gone.example', 'Nobody');
    expect((await post('/accounts', { email: 'no address', name: 'None' })).status).toBe(400);
    const confirmation = await arrived(inbox, 'ada@example.com', 'Confirm your account, Ada');
    const link = /http:\/\/127[^\s"]*\/accounts\/confirm\/[\w-]+/.exec(confirmation.text ?? '')?.[0] ?? '';
    expect(await (await fetch(link)).text()).toBe('Welcome, Ada');
    expect(await account(ada.id)).toMatchObject({ confirmed: true });

    await expect.poll(async () => (await account(gone.id)).disabled, { timeout: 20_000 }).toBe('no-such-mailbox');
    expect((await account(ada.id)).disabled).toBeUndefined();

    const items = [
      { title: 'Spade (large)', price: 1999 },
      { title: 'Rake', price: 501 },
    ];
    expect(await (await post('/orders', { account: ada.id, items })).json()).toMatchObject({ total: 2500 });
    const order = await arrived(inbox, 'ada@example.com', 'Your order 1001');
    expect(order.text).toContain('Total: 25.00 EUR');
    expect(order.attachments).toMatchObject([{ filename: 'invoice-1001.pdf', contentType: 'application/pdf' }]);
    const pdf = order.attachments[0]?.content.toString('latin1') ?? '';
    expect(pdf).toMatch(/^%PDF-1\.4\n[\s\S]*Spade \\\(large\\\): 19\.99 EUR[\s\S]*%%EOF\n$/);
    expect(pdf.slice(Number(/startxref\n(\d+)/.exec(pdf)?.[1]), Number.POSITIVE_INFINITY)).toMatch(/^xref\n/);

    await awayFromMidnight();
    const job = app.get(SchedulerRegistry).getCronJob('weekly-digest');
    await Promise.all([job.fireOnTick(), job.fireOnTick()]);
    const digest = await arrived(inbox, 'ada@example.com', 'The week in the shop, Ada');
    expect(digest.text).toContain('Rakes on sale');
    const oneClick = /<(http:[^>]*\/mail\/u\/[^>]*)>/.exec(
      digest.headerLines.find(({ key }) => key === 'list-unsubscribe')?.line.replace(/\r?\n\s+/g, '') ?? '',
    )?.[1];
    const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' });
    expect((await fetch(oneClick ?? 'no link', { method: 'POST', body })).status).toBe(200);
    const relay = app.get(MailRelayService);
    expect(await relay.suppressions.has('ada@example.com', { topic: 'digest' })).toBe(true);
    const { items: campaign } = await relay.messages.list({
      campaign: `digest-${new Date().toISOString().slice(0, 10)}`,
    });
    expect(campaign.map(({ recipient }) => recipient)).toEqual(['ada@example.com']);

    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({
      status: 'ok',
      details: { mail: { status: 'up' } },
    });
    await relay.stop();
    const ill = await fetch(`${url}/health`);
    expect([ill.status, await ill.json()]).toMatchObject([
      503,
      { status: 'error', error: { mail: { status: 'down', message: 'The relay has been stopped' } } },
    ]);
  });
});

describe('the shop as a process', () => {
  const begin = async (args: readonly string[], cwd: string) => {
    const inbox = await world();
    const env = await environment(inbox);
    const child = spawn(process.execPath, [...args], {
      cwd,
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...env },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const { signUp } = client(env.MAIL_RELAY_PUBLIC_URL);
    await vi.waitUntil(
      () =>
        fetch(`${env.MAIL_RELAY_PUBLIC_URL}/health`).then(
          ({ ok }) => ok,
          () => false,
        ),
      { timeout: 60_000, interval: 100 },
    );
    await signUp('ada@example.com', 'Ada');
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
    // What was accepted has left before the process ended.
    expect(
      (await Promise.all(inbox.mails.map(({ source }) => simpleParser(source)))).map(({ subject }) => subject),
    ).toEqual(['Confirm your account, Ada']);
  };

  it('starts from its sources', () => begin([...DECORATOR_ARGUMENTS, 'src/main.ts'], SHOP));

  it.skipIf(!existsSync(join(ROOT, 'packages/nestjs/dist/index.js')))(
    'is compiled and started by one command, with the templates beside it',
    () => begin(['start.mjs'], SHOP),
  );
});
