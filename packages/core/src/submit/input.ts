import type { Readable } from 'node:stream';
import type { AddressInput } from '../address.ts';
import type { Json, Stream, TrackingOptions } from '../message.ts';
import type { AnyTemplate, DataOf, TemplateName } from '../template.ts';

/** One or several addresses, as nodemailer takes them. */
export type AddressList = AddressInput | readonly AddressInput[];

/** An attachment, as nodemailer takes it. `path` and `href` follow the option `attachments`. */
export interface AttachmentInput {
  /** At most 255 characters. @default that of `path` or `href` */
  readonly filename?: string | undefined;
  readonly content?: string | Uint8Array | Readable | undefined;
  /** Encoding of `content` where it is text. @default utf8 */
  readonly encoding?: 'utf8' | 'utf-8' | 'base64' | 'hex' | undefined;
  /** File below one of `attachments.paths`. */
  readonly path?: string | undefined;
  /** https URL on one of `attachments.hosts`. */
  readonly href?: string | undefined;
  readonly contentType?: string | undefined;
  readonly contentDisposition?: 'attachment' | 'inline' | undefined;
  readonly cid?: string | undefined;
  readonly contentTransferEncoding?: '7bit' | 'base64' | 'quoted-printable' | undefined;
  readonly headers?: HeadersInput | undefined;
}

/** A further representation of the body, as nodemailer takes it. */
export interface AlternativeInput {
  readonly content: string | Uint8Array;
  readonly contentType: string;
  readonly filename?: string | undefined;
  /** Encoding of `content` where it is text. @default utf8 */
  readonly encoding?: 'utf8' | 'utf-8' | 'base64' | 'hex' | undefined;
}

/** A calendar event, as nodemailer takes it: an alternative of the body, and an attachment. */
export interface CalendarInput {
  readonly content: string | Uint8Array;
  /** @default PUBLISH */
  readonly method?: string | undefined;
  /** @default invite.ics */
  readonly filename?: string | undefined;
  /** Encoding of `content` where it is text. @default utf8 */
  readonly encoding?: 'utf8' | 'utf-8' | 'base64' | 'hex' | undefined;
}

/** Headers, as nodemailer takes them. */
export type HeadersInput =
  | Readonly<Record<string, string | readonly string[]>>
  | readonly { readonly key: string; readonly value: string }[];

/** A `List-*` value, as nodemailer takes it. */
export type ListValue = string | { readonly url: string; readonly comment?: string | undefined };

/** What `send()` and `sendMany()` have in common: nodemailer's fields under nodemailer's names, and the relay's own. */
export interface MessageFields {
  readonly from?: AddressInput | undefined;
  readonly sender?: AddressInput | undefined;
  /** At most 100. */
  readonly replyTo?: AddressList | undefined;
  /** At most 1,000 characters, also where a template makes it. */
  readonly subject?: string | undefined;
  /** Bytes are UTF-8. */
  readonly text?: string | Uint8Array | undefined;
  /** Bytes are UTF-8. */
  readonly html?: string | Uint8Array | undefined;
  readonly attachments?: readonly AttachmentInput[] | undefined;
  /** With those of `list` at most 100, and 32,768 bytes together. */
  readonly headers?: HeadersInput | undefined;
  /** One Message-ID (RFC 5322 section 3.6.4). */
  readonly inReplyTo?: string | undefined;
  /** Message-IDs, at most 32,768 characters together. */
  readonly references?: string | readonly string[] | undefined;
  /** A calendar event, or only its content. */
  readonly icalEvent?: CalendarInput | string | Uint8Array | undefined;
  /** Further representations of the body. */
  readonly alternatives?: readonly AlternativeInput[] | undefined;
  readonly list?: Readonly<Record<string, ListValue | readonly (ListValue | readonly ListValue[])[]>> | undefined;
  readonly priority?: 'high' | 'normal' | 'low' | undefined;
  readonly messageId?: string | undefined;
  /** In a year from 1900 to 9999. @default when the message is accepted */
  readonly date?: Date | string | undefined;
  /** Only `from` (the return path): every recipient of the message has an envelope of its own. */
  readonly envelope?: { readonly from?: string | undefined } | undefined;
  /**
   * Hand the mail to no server but one that promises the same of those behind it (REQUIRETLS, RFC 8689), over TLS with a
   * certificate that is trusted. A server that does not promise it bounces the mail, with the reason `tls`. More on
   * [routes](routes.md#mail-that-only-travels-encrypted).
   * @default false
   */
  readonly requireTls?: boolean | undefined;

  /** Language, such as `fr` or `fr-CA`: of the template variant, and of the unsubscribe page. */
  readonly locale?: string | undefined;
  /** @default `transactional` for `send()`, `broadcast` for `sendMany()` */
  readonly stream?: Stream | undefined;
  /** Name that reports group by, at most 200 characters. */
  readonly campaign?: string | undefined;
  /** At most 50, each of at most 200 characters. */
  readonly tags?: readonly string[] | undefined;
  /** Kept with the message, and part of its record; at most 16,384 bytes as JSON. */
  readonly metadata?: Readonly<Record<string, Json>> | undefined;
  /** Not before this time, in a year from 2001 to 2199; a number is ms since 1970. */
  readonly sendAt?: Date | string | number | undefined;
  /**
   * The same key with the same content answers the first result; with other content it is an error, `IDEMPOTENCY_CONFLICT`.
   * The content is all that was handed in but `sendAt`: with the recipients and their data. A `sendMany()` may have other
   * recipients than before; one that it had, and that has other data now, is rejected. At most 200 characters.
   */
  readonly idempotencyKey?: string | undefined;
  readonly tracking?: TrackingOptions | false | undefined;
  /** What the mail is about: recipients unsubscribe from the topic rather than from the stream. At most 200 characters. */
  readonly topic?: string | undefined;
  /** Name of the route. @default the first */
  readonly route?: string | undefined;
}

/** What a message may name as its template; `undefined` for none. */
export type TemplateInput = TemplateName | AnyTemplate | undefined;

/** Required where something in it is. */
type DataField<Data> = IsOptional<Data> extends true ? { readonly data?: Data | undefined } : { readonly data: Data };
type IsOptional<Data> = Record<never, never> extends Data ? true : false;

/** What `send()` takes. */
export type SendMessage<T extends TemplateInput = TemplateInput> = MessageFields & {
  readonly to?: AddressList | undefined;
  readonly cc?: AddressList | undefined;
  readonly bcc?: AddressList | undefined;
  /** Name of a template, or one from `defineTemplate()`. */
  readonly template?: T;
  /** Data of the template; an error without one. */
} & DataField<DataOf<T>>;

/** What all mails of a `sendMany()` share. `Shared`: which of the template's data. */
export type BulkOptions<
  T extends TemplateInput = TemplateInput,
  Shared extends keyof DataOf<T> = keyof DataOf<T>,
> = MessageFields & {
  /** Name of a template, or one from `defineTemplate()`. */
  readonly template?: T;
  /** Data of the template that all share; an error without one. */
  readonly data?: Pick<DataOf<T>, Shared> | undefined;
};

/** Data of one recipient: what the shared data lack, and what is to go over them. */
type OwnData<Data, Shared extends keyof Data> = Omit<Data, Shared> & Partial<Data>;

/** One recipient of `sendMany()`: an address, or an address with what is its own. */
export type BulkRecipient<T extends TemplateInput = undefined, Shared extends keyof DataOf<T> = never> =
  | (IsOptional<OwnData<DataOf<T>, Shared>> extends true ? string : never)
  | ({
      readonly to: AddressInput;
      readonly locale?: string | undefined;
      /** Kept with the delivery; at most 16,384 bytes as JSON. */
      readonly metadata?: Readonly<Record<string, Json>> | undefined;
      /** Goes over the tracking of the message, also to switch it on. */
      readonly tracking?: Pick<TrackingOptions, 'opens' | 'clicks'> | false | undefined;
      /** Goes over the data that all share; an error without a template. */
    } & DataField<OwnData<DataOf<T>, Shared>>);
