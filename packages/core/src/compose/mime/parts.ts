import type { Mailbox } from '../../address.ts';
import type { Content, HeaderField } from '../../message.ts';
import type { BlobStore } from '../../store/port.ts';

/** Everything that goes into one mail. */
export interface MailParts {
  readonly content: Content;
  readonly to: readonly Mailbox[];
  readonly subject: string;
  readonly html: string | undefined;
  readonly text: string | undefined;
  /** The line ends of both bodies are known to be CRLF. */
  readonly crlf?: boolean;
  /** With angle brackets. */
  readonly messageId: string;
  /** Ms since the epoch. */
  readonly date: number;
  /** Stands between the parts of the mail: nobody can guess it, whatever other mails they saw; the same for each attempt. */
  readonly boundary: string;
  /** Header fields of the route, with their line ends: they stand first. */
  readonly routeHead?: string;
  /** List-Unsubscribe and its kin. */
  readonly headers: readonly HeaderField[];
}

/** A mail as it goes over the wire: lines end with CRLF. */
export interface WrittenMail {
  readonly raw: Buffer;
  /** The body has bytes over 127. */
  readonly eightBit: boolean;
}

/** Where attachments lie. */
export type Attachments = Pick<BlobStore, 'get'>;

/** Bytes of an attachment, by its hash. */
export async function attachmentBytes(attachments: Attachments, hash: string): Promise<Buffer> {
  return Buffer.from((await attachments.get('attachment', hash)) ?? []);
}
