import MailComposer from 'nodemailer/lib/mail-composer';
import { withCrlf } from './body.ts';
import { type Attachments, attachmentBytes, type MailParts, type WrittenMail } from './parts.ts';
import { wireForm } from './wire-form.ts';

/** Writes a mail of any kind below its header: the parts are those of nodemailer's MailComposer. */
export async function composeRich(head: string, parts: MailParts, attachments: Attachments): Promise<WrittenMail> {
  const { html, text, boundary } = parts;
  const composer = new MailComposer({
    ...(html === undefined ? {} : { html: withCrlf(html) }),
    ...(text === undefined ? {} : { text: withCrlf(text) }),
    ...(`${html} ${text}`.includes(boundary) ? { encoding: 'base64' } : {}),
    baseBoundary: boundary,
    ...(await furtherParts(parts, attachments)),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const built = await composer.compile().build();
  const end = built.indexOf('\r\n\r\n');
  const own = built
    .toString('latin1', 0, end)
    .split(/\r\n(?![ \t])/)
    .filter((field) => /^content-/i.test(field));
  const body = built.subarray(end);
  return {
    raw: Buffer.concat([Buffer.from(head), Buffer.from(own.join('\r\n'), 'latin1'), body]),
    eightBit: body.some((byte) => byte > 127),
  };
}

/** Attachments, alternatives and the calendar, as MailComposer takes them. */
async function furtherParts({ content }: MailParts, attachments: Attachments): Promise<object> {
  const bytesOf = (hash: string): Promise<Buffer> => attachmentBytes(attachments, hash);
  const attached = await Promise.all(
    content.attachments.map(async ({ hash, filename, cid, contentDisposition, headers, ...rest }) => ({
      ...(filename === undefined ? {} : { filename }),
      ...(cid === undefined ? {} : { cid }),
      ...(contentDisposition === undefined ? {} : { contentDisposition }),
      ...(headers === undefined ? {} : { headers: headers.map(([key, value]) => ({ key, value })) }),
      ...wireForm(await bytesOf(hash), { ...rest, filename }),
    })),
  );
  const calendar = content.alternatives.find(({ method }) => method !== undefined);
  const others = content.alternatives.filter(({ method }) => method === undefined);
  const alternatives = others.map(async ({ hash, contentType, filename }) => ({
    ...(filename === undefined ? {} : { filename }),
    ...wireForm(await bytesOf(hash), { contentType, filename, contentTransferEncoding: undefined }),
  }));
  return {
    attachments: attached,
    alternatives: await Promise.all(alternatives),
    ...(calendar === undefined
      ? {}
      : {
          icalEvent: {
            method: calendar.method ?? 'PUBLISH',
            filename: calendar.filename ?? 'invite.ics',
            content: Buffer.from(withCrlf((await bytesOf(calendar.hash)).toString('latin1')), 'latin1'),
          },
        }),
  };
}
