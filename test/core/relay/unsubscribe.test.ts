import { describe, expect, it, onTestFinished } from 'vitest';
import { createMailRelay, type MailRelay, type MailRelayOptions } from '../../../packages/core/src/index.ts';
import { capturedMails, relayWith } from '../../support/relay.ts';

const address = 'ada@example.com';
const mail = { from: 'Acme News <news@acme.example>', topic: 'garden-tips', campaign: 'spring', subject: 'Spring' };
const scope = 'topic:garden-tips';

/** The page behind the unsubscribe link of a mail that was sent. */
async function leaving(options: MailRelayOptions = {}): Promise<{ readonly relay: MailRelay; readonly url: string }> {
  const relay = relayWith(options);
  await relay.sendMany([address], { ...mail, text: 'Leave: {{unsubscribeUrl}}' });
  const [source = ''] = await capturedMails(relay, 1);
  const [, url = ''] = /List-Unsubscribe: <([^>]+)>/.exec(source.replace(/\r\n[ \t]+/g, ' ')) ?? [];
  return { relay, url };
}

async function ask(relay: MailRelay, url: string, body?: string): Promise<string> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const init = body === undefined ? {} : { method: 'POST', body, headers };
  return (await (await relay.handle(new Request(url, init)))?.text()) ?? '';
}

const suppressed = (relay: MailRelay) => relay.suppressions.has(address, { topic: 'garden-tips' });

describe('the unsubscribe page of a mail', () => {
  it('names the sender of the mail, and the topic as people write it', async () => {
    const { relay, url } = await leaving();
    const page = await ask(relay, url);
    expect(page).toContain('<strong><bdi>Acme News</bdi></strong> <bdi>news@acme.example</bdi>');
    expect(page).toContain('stop receiving “garden tips” mail from Acme News at ada@example.com?');
  });

  it('leads out and back again, and only its buttons change anything', async () => {
    const { relay, url } = await leaving();
    const done = await ask(relay, url, 'confirm=yes');
    expect(done).toContain('You are unsubscribed');
    expect(done).toContain('Subscribe again');
    const already = await ask(relay, url);
    expect(already).toContain('You are already unsubscribed');
    expect(already).not.toContain('name="confirm"');
    expect(await ask(relay, `${url}?subscribe=yes`)).toContain('You are already unsubscribed');
    expect(await suppressed(relay)).toBe(true);
    expect(await ask(relay, url, 'subscribe=yes')).toContain('You are subscribed again');
    expect(await suppressed(relay)).toBe(false);
    expect(await ask(relay, url)).toContain('name="confirm"');
  });

  it('tells who leaves, comes back and leaves again', async () => {
    const { relay, url } = await leaving();
    const told: string[] = [];
    for (const type of ['unsubscribed', 'resubscribed'] as const)
      relay.on(type, ({ recipient, scope: left }) => void told.push(`${type} ${recipient} ${left}`));
    for (const body of ['confirm=yes', 'confirm=yes', 'subscribe=yes', 'subscribe=yes', 'List-Unsubscribe=One-Click'])
      await ask(relay, url, body);
    const [out, back] = ['unsubscribed', 'resubscribed'].map((type) => `${type} ${address} ${scope}`);
    await expect.poll(() => told).toEqual([out, back, out]);
    expect(await suppressed(relay)).toBe(true);
    expect(await relay.reports.campaign('spring')).toMatchObject({ unsubscribed: 2, resubscribed: 1 });
    const [mailed] = (await relay.messages.list({ recipient: address })).items;
    const events = (await relay.messages.get(mailed?.messageId ?? ''))?.events ?? [];
    // Its own way goes on meanwhile.
    expect(events.filter(({ type }) => type.endsWith('subscribed'))).toMatchObject([
      { type: 'unsubscribed', scope },
      { type: 'resubscribed', scope },
      { type: 'unsubscribed', scope },
    ]);
  });

  it('tells who leaves again after the application has let them back in', async () => {
    const { relay, url } = await leaving();
    await ask(relay, url, 'confirm=yes');
    await relay.suppressions.remove(address);
    await ask(relay, url, 'confirm=yes');
    expect(await relay.reports.campaign('spring')).toMatchObject({ unsubscribed: 2, resubscribed: 0 });
  });

  it('leads back only who left by a link', async () => {
    const { relay, url } = await leaving();
    await relay.suppressions.add(address, { scope, reason: 'complained' });
    expect(await ask(relay, url)).not.toContain('Subscribe again');
    expect(await ask(relay, url, 'subscribe=yes')).toContain('You are already unsubscribed');
    expect(await suppressed(relay)).toBe(true);
  });

  it.each(['all', 'broadcast'])('promises no mail to who is suppressed for %s as well', async (wider) => {
    const { relay, url } = await leaving();
    await relay.suppressions.add(address, { scope: wider, reason: 'bounced' });
    const done = await ask(relay, url, 'confirm=yes');
    expect(done).toContain('You are unsubscribed');
    expect(done).not.toContain('Subscribe again');
    expect(await ask(relay, url, 'subscribe=yes')).toContain('You are already unsubscribed');
  });

  it('takes a one-click POST as leaving, whatever else it holds', async () => {
    const { relay, url } = await leaving();
    expect(await ask(relay, url, 'List-Unsubscribe=One-Click&subscribe=yes')).toBe('Unsubscribed');
    expect(await ask(relay, url, 'List-Unsubscribe=One-Click')).toBe('Unsubscribed');
    expect(await suppressed(relay)).toBe(true);
  });

  it('works where the records of the mail are gone, under the name of the relay', async () => {
    const { url } = await leaving();
    const purged = createMailRelay({
      from: 'App <app@example.com>',
      secret: 'a secret of enough length',
      publicUrl: 'https://mail.example.com',
      store: ':memory:',
    });
    onTestFinished(() => purged.stop());
    expect(await ask(purged, url)).toContain('mail from App at ada@example.com?');
    expect(await ask(purged, url, 'confirm=yes')).toContain('Subscribe again');
    expect(await suppressed(purged)).toBe(true);
    expect(await ask(purged, url, 'subscribe=yes')).toContain('You are subscribed again');
  });

  it('speaks French', async () => {
    const { relay, url } = await leaving({
      unsubscribe: { texts: { fr: { scopes: { 'garden-tips': 'nos conseils' } } } },
    });
    const french = async (body?: string) => {
      const headers = { 'accept-language': 'fr', 'content-type': 'application/x-www-form-urlencoded' };
      const init = body === undefined ? { headers } : { method: 'POST', body, headers };
      return (await relay.handle(new Request(url, init)))?.text();
    };
    expect(await french()).toContain('Souhaitez-vous ne plus recevoir nos conseils de Acme News');
    expect(await french('confirm=yes')).toContain('Me réabonner');
    expect(await french()).toContain('Vous êtes déjà désabonné');
    expect(await french('subscribe=yes')).toContain('Vous êtes réabonné');
  });
});
