/**
 * The vocabulary of the relay.
 *
 * - **message**: what the host hands in: one content, one or more recipients.
 * - **delivery**: one message to one recipient. It has the state, the attempts, the tokens. To, Cc and Bcc each make a
 *   delivery of their own with the same visible headers.
 * - **stream**: `transactional` or `broadcast`. Transactional mail never waits behind broadcast mail.
 * - **campaign**: a named broadcast to many recipients.
 * - **template version**: the hash of a template's sources. A delivery keeps the version it was accepted with.
 * - **route**: a configured way out. **lane**: the queue of one route and one stream, with its own concurrency;
 *   where the route is held to what receivers take, of one site, too.
 * - **attempt**: one try of one delivery on one route, with its transcript.
 * - **suppression**: an address that must not get mail, why, since when, and for which stream or topic.
 */
import type { Mailbox } from './address.ts';

/** Every stream. */
export const STREAMS = ['transactional', 'broadcast'] as const;

/** Kinds of mail that wait in separate lanes. `broadcast` always carries one-click unsubscribe headers. */
export type Stream = (typeof STREAMS)[number];

/** Every state of a delivery. The order is the storage code: append only. */
export const DELIVERY_STATES = [
  'scheduled',
  'queued',
  'sending',
  'deferred',
  'held',
  'sent',
  'delivered',
  'bounced',
  'complained',
  'failed',
  'suppressed',
  'cancelled',
] as const;

/** State of a delivery. */
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** What may move a delivery to another state. */
export type Transition =
  | 'due'
  | 'claim'
  | 'release-lease'
  | 'send'
  | 'defer'
  | 'bounce'
  | 'expire'
  | 'suppress'
  | 'cancel'
  | 'hold'
  | 'release'
  | 'retry'
  | 'confirm'
  | 'fail'
  | 'complain';

const waiting = ['scheduled', 'queued', 'deferred', 'held'] as const satisfies readonly DeliveryState[];

const TRANSITIONS: Readonly<Record<Transition, { from: readonly DeliveryState[]; to: DeliveryState }>> = {
  due: { from: ['scheduled', 'deferred'], to: 'queued' },
  claim: { from: ['scheduled', 'queued', 'deferred'], to: 'sending' },
  'release-lease': { from: ['sending'], to: 'queued' },
  send: { from: ['sending'], to: 'sent' },
  defer: { from: ['sending'], to: 'deferred' },
  bounce: { from: ['sending', 'sent', 'delivered'], to: 'bounced' },
  expire: { from: ['sending', ...waiting], to: 'failed' },
  suppress: { from: ['sending', ...waiting], to: 'suppressed' },
  cancel: { from: waiting, to: 'cancelled' },
  hold: { from: ['scheduled', 'queued', 'deferred'], to: 'held' },
  release: { from: ['held'], to: 'queued' },
  retry: { from: ['failed', 'bounced', 'deferred', 'suppressed', 'cancelled', 'held'], to: 'queued' },
  confirm: { from: ['sent'], to: 'delivered' },
  fail: { from: ['sent', 'delivered'], to: 'failed' },
  complain: { from: ['sent', 'delivered'], to: 'complained' },
};

/**
 * The one function that decides transitions: the next state, or `undefined` where the transition does not apply (late
 * and repeated feedback never moves a delivery backwards).
 */
export function transition(state: DeliveryState, by: Transition): DeliveryState | undefined {
  const rule = TRANSITIONS[by];
  return rule.from.includes(state) ? rule.to : undefined;
}

/** What may come back about a mail that was sent, the weightiest first. */
export const VERDICTS = ['complained', 'bounced', 'failed', 'delivered'] as const;

/** What came back about a mail that was sent. */
export type Verdict = (typeof VERDICTS)[number];

const BY_VERDICT: Readonly<Record<Verdict, Transition>> = {
  complained: 'complain',
  bounced: 'bounce',
  failed: 'fail',
  delivered: 'confirm',
};

/** The state of a mail that was sent, after all that came back about it, in whatever order: the weightiest decides. */
export function stateAfter(verdicts: readonly Verdict[]): DeliveryState {
  const weightiest = VERDICTS.find((verdict) => verdicts.includes(verdict));
  return (weightiest && transition('sent', BY_VERDICT[weightiest])) ?? 'sent';
}

/** The states that a transition starts from. */
export function statesBefore(by: Transition): readonly DeliveryState[] {
  return TRANSITIONS[by].from;
}

/** JSON, as the store keeps it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** Data of a template: an object of JSON values. */
export type TemplateData = { readonly [key: string]: Json | undefined };

/** Which tracking a message gets. */
export interface TrackingOptions {
  /** Place a pixel that records opens. */
  readonly opens?: boolean | undefined;
  /** Lead links over the relay, so that clicks are recorded. */
  readonly clicks?: boolean | undefined;
  /** Query parameters for http(s) links, such as `{ utm_source: 'newsletter' }`, each of at most 500 characters; existing parameters win. */
  readonly utm?: Readonly<Record<string, string>> | undefined;
}

/** Tracking with nothing left open. */
export interface ResolvedTracking {
  readonly opens: boolean;
  readonly clicks: boolean;
  readonly utm: Readonly<Record<string, string>> | undefined;
}

/** An attachment after spooling: its bytes are in the store under `hash`. */
export interface SpooledAttachment {
  /** SHA-256 of the content, hex. */
  readonly hash: string;
  readonly bytes: number;
  readonly filename: string | undefined;
  readonly contentType: string | undefined;
  readonly contentDisposition: 'attachment' | 'inline' | undefined;
  readonly cid: string | undefined;
  readonly contentTransferEncoding: '7bit' | 'base64' | 'quoted-printable' | undefined;
  readonly headers: readonly HeaderField[] | undefined;
}

/** A header field: name and unfolded value. */
export type HeaderField = readonly [name: string, value: string];

/** A further representation of the body (`alternatives`, `icalEvent`): its bytes are in the store under `hash`. */
export interface SpooledAlternative {
  readonly hash: string;
  readonly bytes: number;
  readonly contentType: string;
  readonly filename: string | undefined;
  /** `calendar` alternatives come from nodemailer's `icalEvent`, and are also attached. */
  readonly method: string | undefined;
}

/** What all deliveries of a message share; stored once per message, content-addressed. Plain data. */
export interface Content {
  readonly from: Mailbox;
  readonly sender: Mailbox | undefined;
  readonly replyTo: readonly Mailbox[];
  /** Visible To and Cc headers. Empty where every recipient gets a mail of its own (`sendMany`): To is then the recipient. */
  readonly to: readonly Mailbox[];
  readonly cc: readonly Mailbox[];
  /** True for `sendMany`: each delivery is a mail of its own, with its own Message-ID and To header. */
  readonly individually: boolean;
  readonly subject: string | undefined;
  readonly text: string | undefined;
  readonly html: string | undefined;
  /** Name of the template, where there is one. */
  readonly template: string | undefined;
  /** The template version that was accepted. */
  readonly version: string | undefined;
  /** True where subject, html and text come with each recipient (functions as templates). */
  readonly rendered: boolean;
  /** Data shared by all recipients; a recipient's own data goes over it. */
  readonly data: TemplateData | undefined;
  readonly locale: string | undefined;
  readonly attachments: readonly SpooledAttachment[];
  readonly alternatives: readonly SpooledAlternative[];
  readonly headers: readonly HeaderField[];
  readonly inReplyTo: string | undefined;
  readonly references: readonly string[];
  readonly priority: 'high' | 'normal' | 'low' | undefined;
  /** A Message-ID that the host chose, with angle brackets. */
  readonly messageId: string | undefined;
  /** A Date header that the host chose, ms since the epoch. */
  readonly date: number | undefined;
  /** Return path (RFC 5321 MAIL FROM) where it differs from `from`. */
  readonly envelopeFrom: string | undefined;
  /** The mail goes to servers alone that offer REQUIRETLS (RFC 8689). */
  readonly requireTls?: true | undefined;
  readonly tracking: ResolvedTracking;
  readonly topic: string | undefined;
  readonly stream: Stream;
  /** The route that the host named: no other is tried. */
  readonly route?: string | undefined;
}

/** Which header a recipient came from. The order is the storage code: append only. */
export const RECIPIENT_KINDS = ['to', 'cc', 'bcc'] as const;

/** Which header a recipient came from. */
export type RecipientKind = (typeof RECIPIENT_KINDS)[number];

/** Subject and bodies that were rendered on the host's side (functions as templates). */
export interface RenderedParts {
  readonly subject: string;
  readonly html?: string | undefined;
  readonly text?: string | undefined;
}

/** One recipient on its way into the store. Plain data. */
export interface SubmittedRecipient {
  /** RFC 5321 mailbox without a name, domain in ASCII. */
  readonly address: string;
  readonly name: string | undefined;
  readonly kind: RecipientKind;
  readonly data: TemplateData | undefined;
  readonly locale: string | undefined;
  /** Per-recipient switches. */
  readonly tracking: { readonly opens?: boolean | undefined; readonly clicks?: boolean | undefined } | undefined;
  readonly metadata: Readonly<Record<string, Json>> | undefined;
  readonly rendered: RenderedParts | undefined;
}

/** A message on its way into the store. Plain data. */
export interface Submission {
  readonly content: Content;
  readonly campaign: string | undefined;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, Json>> | undefined;
  /** Not before this time, ms since the epoch. */
  readonly sendAt: number | undefined;
  readonly idempotencyKey: string | undefined;
  /** Name of the route; undefined for the first. */
  readonly route: string | undefined;
  readonly recipients: readonly SubmittedRecipient[];
}

/** An accepted delivery, as `send()` reports it. */
export interface AcceptedDelivery {
  readonly id: string;
  readonly recipient: string;
  readonly state: DeliveryState;
}

/** The answer of `send()`: everything in it is durable. */
export interface Accepted {
  /** Id of the message in the relay. */
  readonly id: string;
  /** RFC 5322 Message-ID, with angle brackets. */
  readonly messageId: string;
  readonly deliveries: readonly AcceptedDelivery[];
  /** True where an earlier call with the same `idempotencyKey` was answered again. */
  readonly repeated: boolean;
}

/** Ids as people and APIs see them: a prefix and a number in base 36. */
export type IdPrefix = 'msg' | 'dlv' | 'evt';

/** Writes an id. */
export function encodeId(prefix: IdPrefix, id: number): string {
  return `${prefix}_${base36(id)}`;
}

/** As long as an id of a delivery can be. */
export const LONGEST_DELIVERY_ID: string = `dlv_${Number.MAX_SAFE_INTEGER.toString(36)}`;

/** 36^5: what is left and right of it are small integers, which are written many times faster than large ones. */
const FIVE_DIGITS = 60_466_176;

function base36(id: number): string {
  if (id < FIVE_DIGITS) return id.toString(36);
  const high = Math.floor(id / FIVE_DIGITS);
  return high.toString(36) + (id - high * FIVE_DIGITS).toString(36).padStart(5, '0');
}

/** Reads an id; `undefined` where the text is no id of this kind. */
export function decodeId(prefix: IdPrefix, text: string): number | undefined {
  if (!text.startsWith(`${prefix}_`)) return undefined;
  const digits = text.slice(prefix.length + 1);
  if (!/^[0-9a-z]{1,11}$/.test(digits)) return undefined;
  const id = Number.parseInt(digits, 36);
  return Number.isSafeInteger(id) && id.toString(36) === digits ? id : undefined;
}
