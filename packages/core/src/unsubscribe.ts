import type { Mailbox } from './address.ts';

/** Every text of the unsubscribe page, in one language. `{address}`, `{scope}` and `{sender}` are filled in. */
export interface UnsubscribeTexts {
  readonly title: string;
  readonly question: string;
  readonly button: string;
  readonly doneTitle: string;
  readonly done: string;
  /** For who comes back and is unsubscribed already. */
  readonly alreadyTitle: string;
  readonly already: string;
  /** The button that takes it back. */
  readonly againButton: string;
  readonly againTitle: string;
  readonly again: string;
  /** What `{scope}` becomes: names of `broadcast`, `transactional` and of topics. */
  readonly scopes?: Readonly<Record<string, string>> | undefined;
  /** What `{scope}` becomes for a topic that `scopes` does not name; `{topic}` is the topic. */
  readonly topic: string;
}

/** What an unsubscribe page shows. */
export interface UnsubscribeView {
  /**
   * `confirm`: before, with the button. `done`: the address has been unsubscribed. `already`: it was before the page was
   * asked for. `again`: it has been subscribed again.
   */
  readonly step: 'confirm' | 'done' | 'already' | 'again';
  readonly address: string;
  /** `broadcast`, `transactional` or `topic:<name>`. */
  readonly scope: string;
  /** Who wrote the mail; once its record is gone, the sender of the relay's option `from`, where there is one. */
  readonly sender: Mailbox | undefined;
  /** Language of the page, such as `en`. */
  readonly locale: string;
  readonly texts: UnsubscribeTexts;
  /** Where the form of the button posts to. */
  readonly action: string;
  /** Whether a form that posts the field `subscribe=yes` to `action` subscribes again. */
  readonly maySubscribe: boolean;
}

/** Some of the texts; the others stay as they are. */
type GivenTexts = { readonly [Name in keyof UnsubscribeTexts]?: UnsubscribeTexts[Name] | undefined };

/** Texts and look of the unsubscribe page. */
export interface UnsubscribeOptions {
  /** Texts by language, also the names of topics (`scopes`); they go over the built-in English and French. */
  readonly texts?: Readonly<Record<string, GivenTexts | undefined>> | undefined;
  /** Makes the whole page; must escape what it shows, and hold a form that posts to `view.action`. */
  readonly page?: ((view: UnsubscribeView) => string | Promise<string>) | undefined;
}
