import { symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import { simpleParser } from 'mailparser';
import { describe, expect, it, onTestFinished } from 'vitest';
import { capturedMails, relayWith, scratchFolder } from '../../support/relay.ts';

const PDF = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7) % 256));
const message = { to: 'ada@example.com', subject: 'Programme', text: 'See the attachment' } as const;

function blobsIn(file: string): number {
  const db = new DatabaseSync(file, { readOnly: true });
  const row = db.prepare('SELECT count(*) AS n FROM blob WHERE kind = 1').get();
  db.close();
  return Number(row?.n);
}

describe('attachments', () => {
  it('arrive as they were, from bytes, text, a stream and a file', async () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'p.pdf'), PDF);
    const relay = relayWith({ attachments: { paths: [folder] } });
    const attachments = [
      { filename: 'bytes.pdf', content: PDF },
      { filename: 'text.txt', content: 'Où ?' },
      { filename: 'base64.bin', content: PDF.toString('base64'), encoding: 'base64' as const },
      { filename: 'stream.pdf', content: Readable.from([PDF.subarray(0, 1000), PDF.subarray(1000)]) },
      { filename: 'file.pdf', path: join(folder, 'p.pdf') },
    ];
    await relay.send({ ...message, attachments });
    const mail = await simpleParser((await capturedMails(relay, 1))[0] ?? '');
    expect(mail.attachments.map(({ filename }) => filename)).toEqual(attachments.map(({ filename }) => filename));
    for (const { filename, content } of mail.attachments)
      expect(content.toString('latin1')).toBe((filename === 'text.txt' ? Buffer.from('Où ?') : PDF).toString('latin1'));
  });

  it('are kept once per content, never once per recipient', async () => {
    const file = join(scratchFolder(), 'relay.db');
    const relay = relayWith({ store: file });
    const people = Array.from({ length: 50 }, (_, index) => `r${index}@example.com`);
    const { to: _, ...shared } = message;
    await relay.sendMany(people, { ...shared, campaign: 'one', attachments: [{ filename: 'p.pdf', content: PDF }] });
    await relay.send({ ...message, attachments: [{ filename: 'other name.pdf', content: Readable.from([PDF]) }] });
    const mails = await capturedMails(relay, 51);
    for (const mail of mails) expect((await simpleParser(mail)).attachments[0]?.content).toEqual(PDF);
    expect(blobsIn(file)).toBe(1);
  });

  it.each(['path outside', 'path that climbs', 'link that leads outside', 'folder', 'nothing there'])(
    'are refused from a %s of the allow-list',
    async (kind) => {
      const [allowed, outside] = [scratchFolder(), scratchFolder()];
      writeFileSync(join(outside, 'secret'), 'secret');
      symlinkSync(join(outside, 'secret'), join(allowed, 'link'));
      const relay = relayWith({ attachments: { paths: [allowed] } });
      const path = {
        'path outside': join(outside, 'secret'),
        'path that climbs': `${allowed}/../${outside.split('/').at(-1)}/secret`,
        'link that leads outside': join(allowed, 'link'),
        folder: allowed,
        'nothing there': join(allowed, 'nothing'),
      }[kind];
      await expect(relay.send({ ...message, attachments: [{ path: path as string }] })).rejects.toMatchObject({
        code: kind === 'nothing there' ? 'ATTACHMENT_INVALID' : 'ATTACHMENT_NOT_ALLOWED',
      });
      expect((await relay.messages.list()).items).toEqual([]);
    },
  );

  it('are never fetched from a host that is not allowed, nor without TLS', async () => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      response.end('x');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const relay = relayWith({ attachments: { hosts: [host] } });
    for (const href of [
      `http://${host}/a`,
      'https://other.example/a',
      `https://user@other.example/a`,
      'file:///etc/hosts',
    ])
      await expect(relay.send({ ...message, attachments: [{ href }] })).rejects.toMatchObject({
        code: 'ATTACHMENT_NOT_ALLOWED',
      });
    await expect(relay.send({ ...message, attachments: [{ href: `https://${host}/a` }] })).rejects.toMatchObject({
      code: 'ATTACHMENT_INVALID',
    });
    expect(asked).toBe(0);
  });

  it.each([
    ['base64', 'not base64!'],
    ['base64', 'data:image/png;base64,iVBORw0KGgo='],
    ['base64', 'iVBOR'],
    ['base64', 'iVBO=Rw0K'],
    ['hex', '4f6'],
    ['hex', '0x4f'],
  ] as const)('are refused where their text is no %s: %s', async (encoding, content) => {
    const relay = relayWith({ thread: false });
    const bad = { content, encoding };
    for (const parts of [
      { attachments: [bad] },
      { alternatives: [{ ...bad, contentType: 'text/x-amp-html' }] },
      { icalEvent: bad },
    ])
      await expect(relay.send({ ...message, text: 'x', ...parts })).rejects.toMatchObject({
        code: 'ATTACHMENT_INVALID',
      });
    const good = [' iVBO\r\n Rw== ', 'iV-_', 'iVBORw', ''].map((text) => ({
      content: text,
      encoding: 'base64' as const,
    }));
    await expect(relay.send({ ...message, text: 'x', attachments: good })).resolves.toMatchObject({ repeated: false });
  });

  it('are refused where somebody has read their stream to its end', async () => {
    const relay = relayWith({ thread: false });
    const used = Readable.from([PDF]);
    for await (const _ of used);
    const twice = Readable.from([PDF]);
    for (const content of [[used], [twice, twice]])
      await expect(
        relay.send({ ...message, text: 'x', attachments: content.map((stream) => ({ content: stream })) }),
      ).rejects.toMatchObject({ code: 'ATTACHMENT_INVALID', message: expect.stringContaining('read before') });
    expect((await relay.messages.list()).items).toEqual([]);
  });

  it('are refused where their stream breaks or they are too large, and nothing is stored', async () => {
    const relay = relayWith({ limits: { maxMessageBytes: 10_000 } });
    const broken = new Readable({
      read() {
        this.destroy(new Error('the disk is gone'));
      },
    });
    const send = (content: Readable | Buffer): Promise<unknown> =>
      relay.send({ ...message, attachments: [{ filename: 'a', content }] });
    await expect(send(broken)).rejects.toMatchObject({ code: 'ATTACHMENT_INVALID' });
    await expect(send(Buffer.alloc(20_000))).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    await expect(send(Readable.from([Buffer.alloc(20_000)]))).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect((await relay.messages.list()).items).toEqual([]);
  });
});
