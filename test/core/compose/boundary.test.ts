import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { createComposeMime } from '../../../packages/core/src/compose/mime/compose.ts';
import { defineTemplate, type MailRelay } from '../../../packages/core/src/index.ts';
import type { SpooledAttachment } from '../../../packages/core/src/message.ts';
import { contentOf } from '../../support/content.ts';
import { capturedMails, relayWith } from '../../support/relay.ts';

const hello = defineTemplate({ name: 'hello', subject: 'S', html: '<p>Hello {{name}}</p>', text: 'Hello {{name}}' });

/** The boundaries of a relay's mails, newest first. */
async function boundaries(relay: MailRelay, count: number): Promise<string[]> {
  return (await capturedMails(relay, count)).flatMap((source) => /boundary="([^"]+)"/.exec(source)?.[1] ?? []);
}

describe('the boundary of a mail', () => {
  it('is another for each recipient, of one message and of two with the same content', async () => {
    const relay = relayWith({ templates: [hello], thread: false });
    await relay.sendMany(['a@example.com', 'b@example.com'], { template: hello, data: { name: 'x' } });
    await relay.send({ to: ['c@example.com', 'd@example.com'], template: hello, data: { name: 'x' } });
    await relay.send({ to: 'e@example.com', template: hello, data: { name: 'x' } });
    await relay.send({ to: 'f@example.com', subject: 'S', html: '<p>x</p>', text: 'x' });
    await relay.send({ to: 'g@example.com', subject: 'S', html: '<p>x</p>', text: 'x' });
    const found = await boundaries(relay, 7);
    expect(found).toHaveLength(7);
    expect(new Set(found).size).toBe(7);
  });

  it('that somebody saw in their own mail does not end a part of another', async () => {
    const relay = relayWith({ templates: [hello], thread: false });
    await relay.send({ to: 'mallory@example.org', template: hello, data: { name: 'Mallory' } });
    const [seen = ''] = await boundaries(relay, 1);
    const name = `Ada\n--${seen}\nContent-Type: text/html\n\n<b>forged</b>\n--${seen}--`;
    await relay.send({ to: 'ada@example.com', template: hello, data: { name } });
    const [mail = ''] = await capturedMails(relay, 2);
    const { html, text } = await simpleParser(mail);
    expect(text).toContain(`--${seen}--`);
    expect(html).toContain('&lt;b&gt;forged');
  });

  it.each(['out of a skeleton', 'by MailComposer'])('in a body is not on the wire: %s', async (kind) => {
    const file: SpooledAttachment = {
      hash: 'x',
      bytes: 1,
      filename: kind === 'by MailComposer' ? 'été.bin' : 'x.bin',
      contentType: undefined,
      contentDisposition: undefined,
      cid: undefined,
      contentTransferEncoding: undefined,
      headers: undefined,
    };
    const text = ['=_ab0undary', '=_mb0undary', '--_NmP-b0undary-Part_1', '--_NmP-b0undary-Part_2']
      .map((boundary) => `--${boundary}\nContent-Type: text/html\n\n<b>forged</b>\n--${boundary}--`)
      .join('\n');
    const { raw } = await createComposeMime({ get: async () => Buffer.from('x') })({
      content: contentOf({ attachments: [file] }),
      to: [{ address: 'ada@example.com', name: undefined }],
      subject: 'S',
      html: '<p>real</p>',
      text,
      messageId: '<1@example.com>',
      date: 0,
      boundary: 'b0undary',
      headers: [],
    });
    const parsed = await simpleParser(raw);
    expect(raw.toString()).not.toContain('forged');
    expect([parsed.html, parsed.text?.trimEnd(), parsed.attachments.length]).toEqual(['<p>real</p>', text, 1]);
  });
});
