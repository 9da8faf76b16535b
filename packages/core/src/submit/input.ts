import type { Readable } from 'node:stream';
import type { AddressInput } from '../address.ts';
import type { Json, Stream, TrackingOptions } from '../message.ts';
import type { AnyTemplate, DataOf } from '../template.ts';

/** One or several addresses, as nodemailer takes them. */
export type AddressList = AddressInput | readonly AddressInput[];

/** An attachment, as nodemailer takes it. `path` and `href` follow the option `attachments`. */
export interface AttachmentInput {
  readonly filename?: string;
  readonly content?: string | Uint8Array | Readable;
  /** Encoding of `content` where it is text. @default utf8 */
  readonly encoding?: 'utf8' | 'utf-8' | 'base64' | 'hex';
  /** File below one of `attachments.paths`. */
  readonly path?: string;
  /** https URL on one of `attachments.hosts`. */
  readonly href?: string;
  readonly contentType?: string;
  readonly contentDisposition?: 'attachment' | 'inline';
  readonly cid?: string;
  readonly contentTransferEncoding?: '7bit' | 'base64' | 'quoted-printable';
  readonly headers?: HeadersInput;
}

/** A further representation of the body, as nodemailer takes it. */
export interface AlternativeInput {
  readonly content: string | Uint8Array;
  readonly contentType: string;
  readonly filename?: string;
  /** Encoding of `content` where it is text. @default utf8 */
  readonly encoding?: 'utf8' | 'utf-8' | 'base64' | 'hex';
}

/** A calendar event, as nodemailer takes it: an alternative of the body, and an attachment. */
export interface CalendarInput {
  readonly content: string | Uint8Array;
  /** @default PUBLISH */
  readonly method?: string;
  /** @default invite.ics */
  readonly filename?: string;
  /** Encoding of `content` where it is text. @default utf8 */
  readonly encoding?: 'utf8' | 'utf-8' | 'base64' | 'hex';
}

/** Headers, as nodemailer takes them. */
export type HeadersInput =
  | Readonly<Record<string, string | readonly string[]>>
  | readonly { readonly key: string; readonly value: string }[];

/** A `List-*` value, as nodemailer takes it. */
export type ListValue = string | { readonly url: string; readonly comment?: string };

/** What `send()` and `sendMany()` have in common: nodemailer's fields under nodemailer's names, and the relay's own. */
export interface MessageFields<T extends string | AnyTemplate = string> {
  readonly from?: AddressInput;
  readonly sender?: AddressInput;
  readonly replyTo?: AddressList;
  readonly subject?: string;
  readonly text?: string | Uint8Array;
  readonly html?: string | Uint8Array;
  readonly attachments?: readonly AttachmentInput[];
  readonly headers?: HeadersInput;
  readonly inReplyTo?: string;
  readonly references?: string | readonly string[];
  /** A calendar event, or only its content. */
  readonly icalEvent?: CalendarInput | string | Uint8Array;
  /** Further representations of the body. */
  readonly alternatives?: readonly AlternativeInput[];
  readonly list?: Readonly<Record<string, ListValue | readonly (ListValue | readonly ListValue[])[]>>;
  readonly priority?: 'high' | 'normal' | 'low';
  readonly messageId?: string;
  readonly date?: Date | string;
  /** Only `from` (the return path): every recipient of the message has an envelope of its own. */
  readonly envelope?: { readonly from?: string };

  /** Name of a template, or one from `defineTemplate()`. */
  readonly template?: T;
  /** Data of the template; an error without one. */
  readonly data?: DataOf<T>;
  /** Language, such as `fr` or `fr-CA`: of the template variant, and of the unsubscribe page. */
  readonly locale?: string;
  /** @default `transactional` for `send()`, `broadcast` for `sendMany()` */
  readonly stream?: Stream;
  /** Name that reports group by. */
  readonly campaign?: string;
  readonly tags?: readonly string[];
  /** Kept with the message, and part of its record. */
  readonly metadata?: Readonly<Record<string, Json>>;
  /** Not before this time; a number is ms since 1970. */
  readonly sendAt?: Date | string | number;
  /**
   * The same key with the same content answers the first result; with other content it is an error. The content is all that
   * was handed in, with the recipients and their data (for `sendMany()` without them), but not `sendAt`.
   */
  readonly idempotencyKey?: string;
  readonly tracking?: TrackingOptions | false;
  /** What the mail is about: recipients unsubscribe from the topic rather than from the stream. */
  readonly topic?: string;
  /** Name of the route. @default the first */
  readonly route?: string;
}

/** What `send()` takes. */
export interface SendMessage<T extends string | AnyTemplate = string> extends MessageFields<T> {
  readonly to?: AddressList;
  readonly cc?: AddressList;
  readonly bcc?: AddressList;
}

/** What all mails of a `sendMany()` share. */
export type BulkOptions<T extends string | AnyTemplate = string> = MessageFields<T>;

/** One recipient of `sendMany()`: an address, or an address with what is its own. */
export type BulkRecipient =
  | string
  | {
      readonly to: AddressInput;
      /** Goes over the data that all share; an error without a template. */
      readonly data?: object;
      readonly locale?: string;
      readonly metadata?: Readonly<Record<string, Json>>;
      /** Goes over the tracking of the message, also to switch it on. */
      readonly tracking?: { readonly opens?: boolean; readonly clicks?: boolean } | false;
    };
