import type { UnsubscribeView } from '../unsubscribe.ts';

/** The unsubscribe page, as the HTTP routes see it. */
export interface UnsubscribePage {
  /** Whether the host has replaced the look, so that the page may load styles, fonts and images of its own. */
  readonly custom: boolean;
  /** HTML of the page. */
  render(
    request: Omit<UnsubscribeView, 'locale' | 'texts'> & {
      /** What the sender is called where nothing else is known. */
      readonly host: string;
      /** Language of the mail; it goes before the reader's. */
      readonly locale: string | undefined;
      readonly acceptLanguage: string | undefined;
    },
  ): Promise<{ readonly html: string; readonly locale: string }>;
}
