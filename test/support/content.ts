import type { Content, SubmittedRecipient } from '../../packages/core/src/message.ts';

/** The content of a plain mail. */
export function contentOf(own: Partial<Content> = {}): Content {
  return {
    from: { address: 'app@example.com', name: undefined },
    sender: undefined,
    replyTo: [],
    to: [],
    cc: [],
    individually: true,
    subject: 'Hello',
    text: 'Hello',
    html: undefined,
    template: undefined,
    version: undefined,
    rendered: false,
    data: undefined,
    locale: undefined,
    attachments: [],
    alternatives: [],
    headers: [],
    inReplyTo: undefined,
    references: [],
    priority: undefined,
    messageId: undefined,
    date: undefined,
    envelopeFrom: undefined,
    tracking: { opens: false, clicks: false, utm: undefined },
    topic: undefined,
    stream: 'transactional',
    ...own,
  };
}

/** A recipient with nothing of its own. */
export function recipientOf(address: string): SubmittedRecipient {
  return {
    address,
    name: undefined,
    kind: 'to',
    data: undefined,
    locale: undefined,
    tracking: undefined,
    metadata: undefined,
    rendered: undefined,
  };
}
