/**
 * What passes between a server and the routes. Web-standard `Request` and `Response` are the public face; inside, both
 * are these two plain shapes, so that `node:http` needs neither of the heavier objects for a pixel.
 */

/** A request, as far as the routes look at it. */
export interface Incoming {
  /** Upper case. */
  readonly method: string;
  /** Path as it stands in the URL, percent-encoded. */
  readonly pathname: string;
  /** Query with its `?`, or an empty text. */
  readonly search: string;
  /** Host that the request names, with its port. */
  readonly host: string;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
  /**
   * The whole body.
   *
   * @throws MailRelayError `BODY_TOO_LARGE` over `limitBytes`, `BODY_CONSUMED` where somebody else has read it.
   */
  body(limitBytes: number): Promise<Uint8Array>;
}

/** An answer with its whole body; header names in the spelling that is sent. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** Answers a request of ours; `undefined` where it is not ours. */
export type Answering = (incoming: Incoming) => Promise<Answer | undefined>;

/** The web-standard face of {@link Answering}. */
export type Handling = (request: Request) => Promise<Response | undefined>;

const answerings = new WeakMap<Handling, Answering>();

/** Makes the web-standard face, and remembers what stands behind it for {@link answeringOf}. */
export function bindHandling(handling: Handling, answering: Answering): Handling {
  answerings.set(handling, answering);
  return handling;
}

/** The plain form behind a `handle` function; `undefined` where the host has wrapped it. */
export function answeringOf(handling: Handling): Answering | undefined {
  return answerings.get(handling);
}
