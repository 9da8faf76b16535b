import type { Content, Json, Stream } from '../../message.ts';

/** What events and counts need to know of a message. */
export interface MessageFacts {
  readonly id: number;
  readonly stream: Stream;
  /** Throws `STORE_CORRUPT` where it cannot be read: nothing else of the message may hang on that. */
  readonly content: Content;
  readonly campaignId: number | undefined;
  readonly campaign: string | undefined;
  readonly laneId: number;
  readonly route: string;
  readonly sendAt: number | undefined;
  readonly createdAt: number;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, Json>> | undefined;
}

/** Storage codes. */
export const STREAMS: readonly Stream[] = ['transactional', 'broadcast'];
