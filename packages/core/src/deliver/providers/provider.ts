import type { HeaderField, Stream } from '../../message.ts';
import type { ProviderSpec } from '../port.ts';

export { LABEL_KEYS as KEYS } from '../../labels.ts';

/** What a provider is told of a mail. */
export interface Labels {
  /** `dlv_…` */
  readonly deliveryId: string;
  readonly campaign: string | undefined;
  readonly tags: readonly string[];
  readonly stream: Stream;
  /** What the relay tracks itself in this mail, so that the provider must not. */
  readonly tracking: { readonly opens: boolean; readonly clicks: boolean };
}

/** What a provider takes. */
export interface ProviderLimits {
  /** Largest message with its attachments as it goes over the wire, bytes. */
  readonly maxBytes: number;
  readonly maxTags: number;
  /** Longest tag or campaign, characters. */
  readonly maxName: number;
  /** Longest header value, characters. */
  readonly maxHeader: number;
}

/** What is particular about a provider's SMTP server. */
export interface Provider {
  /** As people call it. */
  readonly title: string;
  /** Names of the header fields that {@link headers} writes, in lower case: nobody else may. */
  readonly owns: readonly string[];
  /** Names of the header fields that the provider writes anew on their way, in lower case: our signature leaves them out. */
  readonly rewrites: readonly string[];
  /** Attribute that keeps its click tracking off an `<a>`, where no header does; it takes the attribute out. @default none */
  readonly linkMark?: string | undefined;
  /** Values are ASCII; a line feed in one stands where a line may end. */
  headers(labels: Labels, spec: ProviderSpec): readonly HeaderField[];
  /** A tag as the provider gets it. */
  plain(tag: string): string;
  /** The id in the reply to the message; undefined where there is none. */
  replyId(reply: string): string | undefined;
  readonly limits: ProviderLimits;
  /** Domain that the SPF record of an envelope sender includes; undefined where the provider names none. */
  readonly spf: string | undefined;
  /** What to look at where the login is refused. */
  readonly loginHint: string;
}

/** The id that follows `queued as`, as most servers write it; without its angle brackets. */
export function queuedAs(reply: string): string | undefined {
  return /^250[ -].*\bqueued as <?([^\s<>]+)>?/i.exec(reply)?.[1];
}
