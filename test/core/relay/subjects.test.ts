import { describe, expect, it } from 'vitest';
import { defineTemplate } from '../../../packages/core/src/index.ts';
import { capturedMails, relayWith } from '../../support/relay.ts';

const order = defineTemplate({ name: 'order', subject: 'Order {{number}}', html: '<p>{{number}}</p>' });

describe('the subject of a template', () => {
  it('is in the records: that of the mail, or for many as it stands in the template', async () => {
    const relay = relayWith({ templates: [order], queue: { deliver: false } });
    const { id } = await relay.send({ to: 'ada@example.com', template: 'order', data: { number: 7 } });
    expect(await relay.messages.get(id)).toMatchObject({ subject: 'Order 7', deliveries: [{ subject: 'Order 7' }] });
    const people = [1, 2].map((number) => ({ to: `r${number}@example.com`, data: { number } }));
    const many = await relay.sendMany(people, { campaign: 'c', template: 'order' });
    expect((await relay.messages.get(many.id))?.subject).toBe('Order {{number}}');
    const { items } = await relay.messages.list();
    expect(items.map(({ subject }) => subject)).toEqual(['Order 2', 'Order 1', 'Order 7']);
  });
});

describe('broadcast mail without a template', () => {
  const body = '{{unsubscribeUrl}} {{viewUrl}} {{ unsubscribeUrl }} {{name}} {{{viewUrl}}}';

  it.each([true, false])(
    'has the two addresses where their placeholders stand, and all else as it is (tracked: %s)',
    async (tracked) => {
      const relay = relayWith({ tracking: { opens: tracked, clicks: tracked } });
      const html = `<p><a href="{{unsubscribeUrl}}">Leave</a> <a href="{{viewUrl}}">View</a> {{name}} {{ viewUrl }}</p>`;
      await relay.sendMany(['ada@example.com'], { campaign: 'c', subject: '{{viewUrl}}', html, text: body });
      const [mail = ''] = await capturedMails(relay, 1);
      const flat = mail.replaceAll('=\r\n', '').replaceAll('=3D', '=');
      expect(flat).toMatch(/href="https:\/\/mail\.example\.com\/mail\/u\/[\w-]+">Leave/);
      expect(flat).toMatch(/href="https:\/\/mail\.example\.com\/mail\/v\/[\w-]+">View<\/a> {{name}} {{ viewUrl }}/);
      expect(flat).toMatch(
        /https:\/\/mail\.example\.com\/mail\/u\/[\w-]+ https:\/\/mail\.example\.com\/mail\/v\/[\w-]+ {{ unsubscribeUrl }} {{name}} {{{viewUrl}}}/,
      );
      expect(flat).toContain('Subject: {{viewUrl}}');
    },
  );

  it('keeps them as they are in transactional mail', async () => {
    const relay = relayWith();
    await relay.send({ to: 'ada@example.com', subject: 'Hi', text: body });
    expect((await capturedMails(relay, 1))[0]).toContain(body);
  });
});
