/** Every text of the unsubscribe page, in one language. `{address}` and `{scope}` are filled in. */
export interface UnsubscribeTexts {
  readonly title: string;
  readonly question: string;
  readonly button: string;
  readonly doneTitle: string;
  readonly done: string;
  /** What `{scope}` becomes: names of `broadcast`, `transactional` and of topics. */
  readonly scopes?: Readonly<Record<string, string>> | undefined;
}

/** What an unsubscribe page shows. */
export interface UnsubscribeView {
  /** `confirm`: before, with the button. `done`: the address has been unsubscribed. */
  readonly step: 'confirm' | 'done';
  readonly address: string;
  /** `broadcast`, `transactional` or `topic:<name>`. */
  readonly scope: string;
  /** Language of the page, such as `en`. */
  readonly locale: string;
  readonly texts: UnsubscribeTexts;
  /** Where the form of the button posts to. */
  readonly action: string;
}

/** Some of the texts; the others stay as they are. */
type GivenTexts = { readonly [Name in keyof UnsubscribeTexts]?: UnsubscribeTexts[Name] | undefined };

/** Texts and look of the unsubscribe page. */
export interface UnsubscribeOptions {
  /** Texts by language; they go over the built-in English and French. */
  readonly texts?: Readonly<Record<string, GivenTexts | undefined>> | undefined;
  /** Makes the whole page; must escape what it shows, and hold a form that posts to `view.action`. */
  readonly page?: ((view: UnsubscribeView) => string | Promise<string>) | undefined;
}
