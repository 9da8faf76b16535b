import type { MessageFields, SendMessage } from '@mailrelay/core';
import type { ModuleMetadata, Type } from '@nestjs/common';
import type { MailRelayModuleOptions } from '../options.ts';
import type { TemplateAdapter } from './adapters.ts';

/** The options of nodemailer's SMTP transport that have a meaning here, and those of its transports for tests. */
export interface TransportOptions {
  readonly host?: string;
  readonly port?: number;
  readonly secure?: boolean;
  readonly auth?: { readonly user?: string; readonly pass?: string; readonly method?: string };
  readonly requireTLS?: boolean;
  readonly ignoreTLS?: boolean;
  readonly tls?: { readonly rejectUnauthorized?: boolean; readonly servername?: string; readonly minVersion?: string };
  /** Name in EHLO. */
  readonly name?: string;
  /** Connections are always kept and shared. */
  readonly pool?: boolean;
  readonly maxConnections?: number;
  readonly maxMessages?: number;
  /** Messages in each `rateDelta` ms (one second, a minute, an hour or a day). */
  readonly rateLimit?: number;
  readonly rateDelta?: number;
  readonly connectionTimeout?: number;
  readonly greetingTimeout?: number;
  readonly socketTimeout?: number;
  /** Mail is kept instead of sent, and shown in the development inbox. */
  readonly jsonTransport?: boolean;
  readonly streamTransport?: boolean;
}

/** An SMTP URL, or nodemailer's options. */
export type Transport = string | TransportOptions;

/** Options of `MailerModule.forRoot()`. */
export interface MailerOptions {
  readonly transport?: Transport;
  /** Named transports; `transporterName` of a mail chooses one. */
  readonly transports?: Readonly<Record<string, Transport>>;
  /** Fields of every mail that does not set them itself. */
  readonly defaults?: Partial<SendMessage>;
  readonly template?: {
    readonly dir?: string;
    readonly dirs?: readonly string[];
    readonly adapter?: TemplateAdapter;
    readonly options?: { readonly strict?: boolean };
  };
  /** Options of the relay behind: the public URL, the secret, the store, tracking and so on. */
  readonly relay?: Omit<MailRelayModuleOptions, 'routes' | 'templates'>;
}

/** What a class for `forRootAsync({ useClass })` implements. */
export interface MailerOptionsFactory {
  createMailerOptions(): MailerOptions | Promise<MailerOptions>;
}

/** Options of `MailerModule.forRootAsync()`. */
export interface MailerAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  // biome-ignore lint/suspicious/noExplicitAny: as in Nest's own types, a factory takes what `inject` names
  readonly useFactory?: (...injected: any[]) => MailerOptions | Promise<MailerOptions>;
  // biome-ignore lint/suspicious/noExplicitAny: as in Nest's own types
  readonly inject?: any[];
  readonly useClass?: Type<MailerOptionsFactory>;
  readonly useExisting?: Type<MailerOptionsFactory>;
}

/** What `sendMail()` takes: the fields of the relay's `send()`, with `context` and `transporterName`. */
export interface ISendMailOptions
  extends Omit<MessageFields, 'data' | 'route' | 'template'>,
    Pick<SendMessage, 'to' | 'cc' | 'bcc'> {
  /** Name or path of a template below the template folders, with or without its ending. */
  readonly template?: string;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly transporterName?: string;
}

/** What `sendMail()` answers, in nodemailer's shape; the mail is stored, and leaves after that. */
export interface SentMessageInfo {
  readonly messageId: string;
  /** Recipients that will be tried. */
  readonly accepted: readonly string[];
  /** Recipients that are suppressed. */
  readonly rejected: readonly string[];
  readonly pending: readonly string[];
  readonly response: string;
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  /** Id of the message in the relay. */
  readonly id: string;
}
