import { mailRelay } from '@mailrelay/express';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { smtp } from '../../../packages/core/src/index.ts';
import { HOUR, kitWith, MINUTE, statesOf } from './support.ts';

const html = `<h1>Hi {{name}}</h1><p><a href="https://acme.example/confirm?t={{token}}">Confirm
  <b>now</b></a> <a href="https://acme.example/logo"><img alt="Acme" src="https://acme.example/logo.png"></a></p>`;
const templates = [{ name: 'welcome', subject: 'Welcome, {{name}}', html }];
const welcome = { to: 'Ada <ada@example.com>', template: 'welcome', data: { name: 'Ada', token: 'a&b' } };
const tracked = { tracking: { opens: true, clicks: true } };

describe('the inbox of a test', () => {
  it('shows mail as its recipient sees it', async () => {
    const { relay, inbox } = await kitWith({ templates });
    const { id } = await relay.send({
      ...welcome,
      tags: ['signup'],
      headers: { 'X-Shop': '7' },
      attachments: [{ filename: 'a.txt', content: 'attached' }],
    });
    const mail = await inbox.last();
    expect(mail).toMatchObject({
      messageId: id,
      to: 'ada@example.com',
      from: 'Test <test@example.com>',
      subject: 'Welcome, Ada',
      template: 'welcome',
      stream: 'transactional',
      tags: ['signup'],
    });
    expect(mail.text).toContain('Hi Ada');
    expect(mail.html).toContain('<h1>Hi Ada</h1>');
    expect(mail.header('x-shop')).toBe('7');
    expect(mail.attachments.map(({ filename, content }) => [filename, content.toString()])).toEqual([
      ['a.txt', 'attached'],
    ]);
    expect(mail.links).toEqual([
      { text: 'Confirm now', url: 'https://acme.example/confirm?t=a&b' },
      { text: 'Acme', url: 'https://acme.example/logo' },
    ]);
    expect(mail.link(/confirm\?/).text).toBe('Confirm now');
    expect(() => mail.link('Cancel')).toThrow('"Welcome, Ada" has no link Cancel; its links are "Confirm now", "Acme"');
  });

  it('finds mail by recipient, subject, template, campaign and text', async () => {
    const { relay, inbox } = await kitWith({ templates });
    await relay.send(welcome);
    await relay.sendMany(['grace@example.com', 'alan@example.com'], {
      campaign: 'spring',
      subject: 'Spring',
      text: 'Come and see',
    });
    expect((await inbox.find({ to: 'GRACE@example.com' }))?.subject).toBe('Spring');
    expect(await inbox.find({ to: 'ada@example.com', subject: 'Spring' })).toBeUndefined();
    expect((await inbox.find({ subject: /^Welcome/ }))?.to).toBe('ada@example.com');
    expect((await inbox.all({ campaign: 'spring' })).map(({ to }) => to)).toEqual([
      'grace@example.com',
      'alan@example.com',
    ]);
    expect(await inbox.all({ template: 'welcome' })).toHaveLength(1);
    expect(await inbox.all({ text: 'and see' })).toHaveLength(2);
    expect((await inbox.last()).to).toBe('alan@example.com');
    await expect(inbox.last({ to: 'nobody@example.com' })).rejects.toThrow(
      'no mail with to nobody@example.com was sent; the inbox has\n  ada@example.com: "Welcome, Ada" (template welcome)',
    );
  });

  it('forgets what came before clear()', async () => {
    const { relay, inbox } = await kitWith();
    await relay.send({ to: 'ada@example.com', subject: 's', text: 't' });
    await inbox.clear();
    await expect(inbox.last()).rejects.toThrow('no mail was sent; the inbox is empty');
  });

  it('finds the links of mail without HTML', async () => {
    const { relay, inbox, click } = await kitWith();
    await relay.send({ to: 'ada@example.com', subject: 's', text: 'Go to https://acme.example/x now', ...tracked });
    const mail = await inbox.last();
    expect(mail.html).toBeUndefined();
    expect(await click(mail, /localhost/)).toBe('https://acme.example/x');
  });
});

describe('what recipients do in a test', () => {
  it('goes through the routes: opens and clicks of people', async () => {
    const { relay, inbox, open, click } = await kitWith({ templates });
    const { id } = await relay.send({ ...welcome, ...tracked, campaign: 'spring' });
    const mail = await inbox.last();
    await open(mail);
    expect(mail.link('Confirm now').url).toContain('http://localhost:3000/mail/c/');
    expect(await click(mail, 'Confirm now')).toBe('https://acme.example/confirm?t=a&b');
    const events = (await relay.messages.get(id))?.events ?? [];
    expect(events.slice(2)).toMatchObject([
      { type: 'opened', agent: { kind: 'human' } },
      { type: 'clicked', agent: { kind: 'human' }, url: 'https://acme.example/confirm?t=a&b' },
    ]);
    expect(await relay.reports.campaign('spring')).toMatchObject({ clicks: { human: { unique: 1 } } });
  });

  it('shows machines as machines', async () => {
    const { relay, inbox, click } = await kitWith({ templates });
    const { id } = await relay.send({ ...welcome, ...tracked });
    await click(await inbox.last(), 'Acme', { afterMs: 0 });
    await click(await inbox.last(), 'Acme', { userAgent: 'curl/8' });
    const events = (await relay.messages.get(id))?.events ?? [];
    expect(events.slice(2)).toMatchObject([{ agent: { kind: 'scanner' } }, { agent: { kind: 'bot' } }]);
  });

  it('tells what a mail cannot do', async () => {
    const { relay, inbox, open, click, unsubscribe } = await kitWith({ templates });
    await relay.send(welcome);
    const mail = await inbox.last();
    await expect(open(mail)).rejects.toThrow(/has no pixel: `tracking.opens` is off for its transactional stream/);
    await expect(unsubscribe(mail)).rejects.toThrow(/only broadcast mail has/);
    expect(await click(mail, 'Confirm now')).toBe('https://acme.example/confirm?t=a&b');
  });

  it.each(['one-click', 'page'] as const)('unsubscribes by %s', async (via) => {
    const { relay, inbox, unsubscribe } = await kitWith();
    const news = { subject: 'News', text: 'News', topic: 'news' };
    await relay.sendMany(['ada@example.com'], news);
    await unsubscribe(await inbox.last(), { via });
    expect((await relay.suppressions.list()).items).toMatchObject([
      { address: 'ada@example.com', scope: 'topic:news', reason: 'unsubscribed', evidence: via },
    ]);
    await inbox.clear();
    await relay.sendMany(['ada@example.com'], news);
    expect(await inbox.all()).toEqual([]);
  });

  it('bounces after sending, and suppresses by what the reply means', async () => {
    const kit = await kitWith();
    const { relay, inbox, bounce } = kit;
    const { id } = await relay.send({ to: ['ada@example.com', 'grace@example.com'], subject: 's', text: 't' });
    const to = async (address: string) => inbox.last({ to: address });
    await bounce(await to('ada@example.com'));
    await bounce(await to('grace@example.com'), { reply: '552 5.2.2 Mailbox full' });
    expect(await statesOf(kit, id)).toEqual({ 'ada@example.com': 'bounced', 'grace@example.com': 'bounced' });
    expect(await relay.suppressions.has('ada@example.com')).toBe(true);
    expect(await relay.suppressions.has('grace@example.com')).toBe(false);
    expect((await relay.messages.get(id))?.events.filter(({ type }) => type === 'bounced')).toMatchObject([
      { kind: 'hard', reason: 'no-such-mailbox', status: '5.1.1' },
      { kind: 'soft', reason: 'mailbox-full', status: '5.2.2' },
    ]);
    await expect(bounce(await to('ada@example.com'))).rejects.toThrow('cannot be bounced any more');
  });

  it('complains, and gets no more broadcast mail', async () => {
    const kit = await kitWith();
    const { relay, inbox, complain } = kit;
    const told: string[] = [];
    relay.on('complained', ({ recipient }) => void told.push(recipient));
    const { id } = await relay.send({ to: 'ada@example.com', subject: 's', text: 't', campaign: 'spring' });
    await complain(await inbox.last());
    expect(told).toEqual(['ada@example.com']);
    expect(await statesOf(kit, id)).toEqual({ 'ada@example.com': 'complained' });
    expect((await relay.suppressions.list()).items).toMatchObject([{ reason: 'complained', scope: 'broadcast' }]);
    expect((await relay.reports.campaign('spring')).complained).toBe(1);
  });
});

describe('when() of a test relay', () => {
  it('waits for every delivery of a message, or for one', async () => {
    const { relay } = await kitWith();
    const { id, deliveries } = await relay.send({
      to: ['ada@example.com', 'missing@simulator.example'],
      subject: 's',
      text: 't',
    });
    await relay.when(deliveries[0]?.id ?? '', 'sent');
    expect((await relay.when(id, ['sent', 'bounced'])).counts).toEqual({ sent: 1, bounced: 1 });
  });

  it('tells where the mail is instead', async () => {
    const { relay } = await kitWith();
    const { id } = await relay.send({ to: 'down@simulator.example', subject: 's', text: 't' });
    await expect(relay.when(id, 'sent', { timeoutMs: 2000 })).rejects.toThrow(
      /is not sent:\n {2}down@simulator\.example: deferred, due at 2027-.* \(450 4\.3\.2 .*\)\nThe clock is at .*clock\.advance/,
    );
    await expect(relay.when('msg_zz', 'sent')).rejects.toThrow(/neither a message nor a delivery/);
  });
});

describe('a test relay in an application', () => {
  it('keeps its mail when the application stops it with its server', async () => {
    const { relay, inbox } = await kitWith();
    const app = express();
    app.use(mailRelay(relay));
    app.post('/send', async (req, res) => {
      await req.mail.send({ to: 'ada@example.com', subject: 's', text: 't' });
      res.sendStatus(202);
    });
    for (const count of [1, 2]) {
      const server = app.listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address() as { port: number };
      const agent = { headers: { connection: 'close' } };
      expect((await fetch(`http://127.0.0.1:${port}/send`, { method: 'POST', ...agent })).status).toBe(202);
      await new Promise((resolve) => server.close(resolve));
      expect(await inbox.all()).toHaveLength(count);
    }
  });

  it('has the routes of the application, and sends by none of them', async () => {
    const { relay, inbox } = await kitWith({
      routes: [smtp('smtp://u:p@mx.acme.example', { name: 'main', rate: '1/min' }), 'smtp://backup.acme.example'],
    });
    for (const route of ['main', 'main', 'backup.acme.example'])
      await relay.send({ to: 'ada@example.com', subject: route, text: 't', route });
    expect((await inbox.all()).map(({ subject }) => subject)).toEqual(['main', 'main', 'backup.acme.example']);
  });

  it('reports the faults of templates when it starts', async () => {
    await expect(kitWith({ templates: '/no/such/folder' })).rejects.toMatchObject({ code: 'TEMPLATE_FOLDER_MISSING' });
  });

  it('holds what is paused, and lets the clock pass over it', async () => {
    const { relay, inbox, clock } = await kitWith();
    await relay.lanes.pause('capture');
    await relay.send({ to: 'ada@example.com', subject: 's', text: 't' });
    await clock.advance(HOUR);
    expect(await inbox.all()).toEqual([]);
    await relay.lanes.resume('capture');
    await clock.advance(MINUTE);
    expect(await inbox.all()).toHaveLength(1);
  });
});
