import {
  type AttachmentInput,
  createMailRelay,
  type DirectMxOptions,
  type ListQuery,
  type MailRelay,
  type MailRelayOptions,
  type MessageFields,
  type SmtpOptions,
  smtp,
  type TrackingOptions,
} from '@mailrelay/core';
import { expect, expectTypeOf, it, onTestFinished } from 'vitest';
import { relayWith } from '../../support/relay.ts';

/** An object whose optional properties are all there, and undefined. */
type AllUndefined<T> = {
  readonly [Name in keyof T as Record<never, never> extends Pick<T, Name> ? Name : never]: undefined;
};

it('every optional property may be undefined', () => {
  expectTypeOf<AllUndefined<MessageFields>>().toExtend<MessageFields>();
  expectTypeOf<AllUndefined<AttachmentInput>>().toExtend<AttachmentInput>();
  expectTypeOf<AllUndefined<MailRelayOptions>>().toExtend<MailRelayOptions>();
  expectTypeOf<AllUndefined<SmtpOptions> & { readonly host: string }>().toExtend<SmtpOptions>();
  expectTypeOf<AllUndefined<DirectMxOptions> & { readonly hostname: string }>().toExtend<DirectMxOptions>();
  expectTypeOf<AllUndefined<TrackingOptions>>().toExtend<TrackingOptions>();
  expectTypeOf<AllUndefined<ListQuery>>().toExtend<Parameters<MailRelay['messages']['list']>[0]>();
});

const MESSAGE: AllUndefined<Omit<MessageFields, 'text'>> & { readonly template: undefined; readonly data: undefined } =
  {
    from: undefined,
    sender: undefined,
    replyTo: undefined,
    subject: undefined,
    html: undefined,
    attachments: undefined,
    headers: undefined,
    inReplyTo: undefined,
    references: undefined,
    icalEvent: undefined,
    alternatives: undefined,
    list: undefined,
    priority: undefined,
    messageId: undefined,
    date: undefined,
    envelope: undefined,
    template: undefined,
    data: undefined,
    locale: undefined,
    stream: undefined,
    campaign: undefined,
    tags: undefined,
    metadata: undefined,
    sendAt: undefined,
    idempotencyKey: undefined,
    tracking: undefined,
    topic: undefined,
    route: undefined,
  };

it('a field that is undefined is as one that is not given', async () => {
  const relay = relayWith({ thread: false });
  const sent = await relay.send({ ...MESSAGE, to: 'ada@example.com', cc: undefined, bcc: undefined, text: 'Hello' });
  const person = { to: 'ada@example.com', data: undefined, locale: undefined, metadata: undefined };
  const many = await relay.sendMany([{ ...person, tracking: { opens: undefined, clicks: undefined } }], {
    ...MESSAGE,
    text: 'Hello',
  });
  expect([sent.deliveries.length, many.accepted]).toEqual([1, 1]);
  const all = { message: undefined, campaign: undefined, recipient: undefined, state: undefined, after: undefined };
  const page = await relay.messages.list({
    ...all,
    stream: undefined,
    from: undefined,
    to: undefined,
    limit: undefined,
  });
  expect(page.items.length).toBe(2);
  expect((await relay.suppressions.list({ limit: undefined, after: undefined, scope: undefined })).items).toEqual([]);
  await relay.suppressions.add('ada@example.com', { scope: undefined, reason: undefined, evidence: undefined });
  expect(await relay.suppressions.has('ada@example.com', { stream: undefined, topic: undefined })).toBe(true);
  await relay.stop({ drain: undefined, timeoutMs: undefined });
});

it('an option that is undefined is as one that is not given', () => {
  const relay = createMailRelay({
    publicUrl: undefined,
    secret: undefined,
    from: undefined,
    store: undefined,
    templates: { folder: undefined, templates: undefined, watch: undefined },
    routes: [smtp({ host: 'localhost', port: undefined, tls: undefined, auth: undefined }, { name: undefined })],
    tracking: { opens: undefined, utm: undefined, streams: { broadcast: undefined } },
    unsubscribe: { texts: { en: { title: undefined } }, page: undefined },
    attachments: { paths: undefined, hosts: undefined },
    limits: { maxMessageBytes: undefined, maxRecipients: undefined },
    queue: { deliver: undefined, leaseMs: undefined },
    environment: undefined,
    thread: undefined,
    logger: undefined,
  });
  onTestFinished(() => relay.stop());
  expect(relay.publicUrl).toMatch(/^http:\/\/localhost/);
});
