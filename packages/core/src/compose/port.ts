import type { Content, SubmittedRecipient, TemplateData } from '../message.ts';
import type { StoredDelivery } from '../store/port.ts';
import type { CompiledTemplate } from '../template.ts';

/** A rendered template, without tracking. */
export interface RenderedTemplate {
  readonly subject: string;
  readonly preheader: string | undefined;
  readonly html: string | undefined;
  readonly text: string;
}

/** A composed mail. */
export interface ComposedMail {
  readonly raw: Buffer;
  readonly subject: string;
  /** Message-ID with angle brackets. */
  readonly messageId: string;
  readonly envelopeFrom: string;
  /** A header or the envelope needs SMTPUTF8. */
  readonly utf8: boolean;
  readonly eightBit: boolean;
}

/** What the route of a mail asks for. */
export interface RouteDemands {
  /** Header fields that the route adds, with their line ends. */
  readonly head: string;
  /** Largest mail that it takes, bytes; undefined where it says nothing. */
  readonly maxBytes: number | undefined;
  /** Names of header fields that it writes anew, in lower case: a signature that covered them would break. @default none */
  readonly rewritten?: readonly string[] | undefined;
  /**
   * Attribute that keeps its own click tracking off a link, and that it takes out again. Only mail whose clicks the relay
   * tracks has it, and none that the relay signs: without the attribute the signature would break. @default none
   */
  readonly linkMark?: string | undefined;
}

/** A template that the host declared in code, without its functions. */
export type DeclaredTemplate = SourceTemplate | PrecompiledTemplate;

/** One that is compiled when the engine starts. */
export interface SourceTemplate {
  readonly name: string;
  readonly format: 'mjml' | 'html';
  readonly source: string;
  readonly subject: string | undefined;
  readonly text: string | undefined;
}

/** One that was compiled before. */
export interface PrecompiledTemplate {
  readonly name: string;
  readonly format: 'compiled';
  readonly compiled: CompiledTemplate;
}

/** Template + data -> bytes. Runs in the engine's thread. */
export interface Composer {
  /** Loads and compiles every template. Throws `TEMPLATE_FOLDER_MISSING` or `TEMPLATE_INVALID` with the path. */
  start(): Promise<void>;
  /** Names and versions that are there. */
  templates(): readonly { readonly name: string; readonly version: string; readonly locales: readonly string[] }[];
  /** The current version of a template. Throws `TEMPLATE_NOT_FOUND`, with the known names. */
  version(name: string): string;
  /** Renders without tracking. Throws `TEMPLATE_NOT_FOUND` or `TEMPLATE_VARIABLE_MISSING`. */
  render(
    name: string,
    data: TemplateData,
    options: { readonly locale?: string | undefined },
  ): Promise<RenderedTemplate>;
  /** Makes sure that composing for this recipient will work; composes only where it could be too large. Throws `TEMPLATE_VARIABLE_MISSING`, `MESSAGE_TOO_LARGE`, `DKIM_KEY_MISSING` … */
  check(content: Content, recipient: SubmittedRecipient, demands?: RouteDemands): Promise<void>;
  /** The mail of one delivery, as bytes, signed. Same delivery, same Message-ID and Date. */
  compose(content: Content, delivery: StoredDelivery, demands?: RouteDemands): Promise<ComposedMail>;
  /** The subject of one delivery; without one, as it stands in the template. Undefined where it cannot be known. */
  subject(content: Content, delivery: StoredDelivery | undefined): Promise<string | undefined>;
  /** The HTML of one delivery as the view-in-browser page shows it: rendered, links tracked, no pixel. */
  view(content: Content, delivery: StoredDelivery): Promise<string | undefined>;
  /**
   * How a link stands in its template, where it leads somewhere else for each recipient; undefined where the target itself
   * says which link it is.
   */
  linkForm(
    content: Content,
    delivery: Pick<StoredDelivery, 'locale' | 'tracking'>,
    link: { readonly number: number; readonly url: string },
  ): Promise<string | undefined>;
  close(): Promise<void>;
}
