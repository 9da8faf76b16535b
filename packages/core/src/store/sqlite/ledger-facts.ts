import type { Content, Json, Stream } from '../../message.ts';

/** What events and counts need to know of a message. Its content is read when somebody asks for it. */
export class MessageFacts {
  declare readonly id: number;
  declare readonly stream: Stream;
  declare readonly campaignId: number | undefined;
  declare readonly campaign: string | undefined;
  declare readonly laneId: number;
  declare readonly route: string;
  declare readonly sendAt: number | undefined;
  declare readonly createdAt: number;
  declare readonly tags: readonly string[];
  declare readonly metadata: Readonly<Record<string, Json>> | undefined;
  readonly #contentId: number;
  readonly #contentOf: (id: number) => Content;

  constructor(facts: Omit<MessageFacts, 'content'>, contentId: number, contentOf: (id: number) => Content) {
    Object.assign(this, facts);
    this.#contentId = contentId;
    this.#contentOf = contentOf;
  }

  /** Throws `STORE_CORRUPT` where it cannot be read: nothing else of the message may hang on that. */
  get content(): Content {
    return this.#contentOf(this.#contentId);
  }
}

/** Storage codes. */
export const STREAMS: readonly Stream[] = ['transactional', 'broadcast'];
