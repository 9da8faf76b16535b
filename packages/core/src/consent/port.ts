/** The unsubscribe page, as the HTTP routes see it. */
export interface UnsubscribePage {
  /** Whether the host has replaced the look, so that the page may load styles, fonts and images of its own. */
  readonly custom: boolean;
  /** HTML of the page. */
  render(request: {
    readonly step: 'confirm' | 'done';
    readonly address: string;
    /** `broadcast`, `transactional` or `topic:<name>`. */
    readonly scope: string;
    /** Language of the mail; it goes before the reader's. */
    readonly locale: string | undefined;
    readonly acceptLanguage: string | undefined;
    readonly action: string;
  }): Promise<{ readonly html: string; readonly locale: string }>;
}
