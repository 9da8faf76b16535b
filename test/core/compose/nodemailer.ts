import MailComposer from 'nodemailer/lib/mail-composer';
import type { Mailbox } from '../../../packages/core/src/address.ts';
import { type Attachments, attachmentBytes, type MailParts } from '../../../packages/core/src/compose/mime/parts.ts';

/** The mail that nodemailer's MailComposer makes of the same parts: what ours are compared with. */
export async function composedByNodemailer(parts: MailParts, attachments: Attachments): Promise<Buffer> {
  const { content, html, text } = parts;
  const bytesOf = (hash: string): Promise<Buffer> => attachmentBytes(attachments, hash);
  const attached = await Promise.all(
    content.attachments.map(async ({ hash, bytes: _, headers, ...rest }) => ({
      ...rest,
      content: await bytesOf(hash),
      ...(headers === undefined ? {} : { headers: headers.map(([key, value]) => ({ key, value })) }),
    })),
  );
  const calendar = content.alternatives.find(({ method }) => method !== undefined);
  const others = content.alternatives.filter(({ method }) => method === undefined);
  const composer = new MailComposer({
    from: named(content.from),
    ...(content.sender === undefined ? {} : { sender: named(content.sender) }),
    to: parts.to.map(named),
    cc: content.cc.map(named),
    replyTo: content.replyTo.map(named),
    ...(content.inReplyTo === undefined ? {} : { inReplyTo: content.inReplyTo }),
    references: [...content.references],
    subject: parts.subject,
    messageId: parts.messageId,
    date: new Date(parts.date),
    ...(html === undefined ? {} : { html }),
    ...(text === undefined ? {} : { text }),
    ...(content.priority === undefined ? {} : { priority: content.priority }),
    headers: [...content.headers, ...parts.headers].map(([key, value]) => ({ key, value })),
    attachments: attached.map((one) =>
      Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined)),
    ),
    alternatives: await Promise.all(
      others.map(async ({ hash, contentType }) => ({ contentType, content: await bytesOf(hash) })),
    ),
    ...(calendar === undefined
      ? {}
      : {
          icalEvent: {
            method: calendar.method ?? 'PUBLISH',
            filename: calendar.filename ?? 'invite.ics',
            content: await bytesOf(calendar.hash),
          },
        }),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}

function named({ name, address }: Mailbox): { name: string; address: string } {
  return { name: name ?? '', address };
}
