/**
 * The table of error codes: what each means, what to do about it, and whether the same call can succeed later.
 * Codes never change meaning; messages may.
 */
export const ERRORS = {
  OPTIONS_INVALID: { message: 'An option is missing or out of range', retry: false },
  OPTION_UNSUPPORTED: { message: 'This option is not supported', retry: false },
  SECRET_MISSING: { message: 'Production needs a secret: set `secret` or MAIL_RELAY_SECRET', retry: false },
  PUBLIC_URL_MISSING: {
    message: 'Production needs a public URL: set `publicUrl` or MAIL_RELAY_PUBLIC_URL',
    retry: false,
  },
  ROUTE_MISSING: { message: 'Production needs a way out: set `routes` or MAIL_RELAY_SMTP_URL', retry: false },
  DKIM_KEY_INVALID: { message: 'A DKIM key cannot sign', retry: false },
  DKIM_KEY_MISSING: { message: 'No DKIM key signs for the domain of the sender', retry: false },
  ROUTE_NOT_FOUND: { message: 'No route takes this mail', retry: false },
  NODE_TOO_OLD: { message: 'Node 22.19 or newer is needed', retry: false },
  RELAY_STOPPED: { message: 'The relay has been stopped', retry: false },
  WORKER_UNAVAILABLE: { message: 'The worker thread of the engine could not run', retry: false },
  ENGINE_CRASHED: { message: 'The engine thread ended unexpectedly', retry: true },
  MESSAGE_INVALID: { message: 'The message cannot be sent as it is', retry: false },
  MESSAGE_TOO_LARGE: {
    message: 'The message is larger than `limits.maxMessageBytes`, or than its route takes',
    retry: false,
  },
  MESSAGE_NOT_FOUND: { message: 'No message or delivery has this id', retry: false },
  MESSAGE_STATE: { message: 'The delivery is in a state that does not allow this', retry: false },
  ADDRESS_INVALID: { message: 'An e-mail address is not valid', retry: false },
  RECIPIENT_MISSING: { message: 'The message has no recipient', retry: false },
  RECIPIENT_DUPLICATE: { message: 'This message already has the recipient', retry: false },
  RECIPIENTS_BROKEN: { message: 'The recipients of a sendMany() broke off', retry: false },
  HEADER_INVALID: { message: 'A header has a name or a value that is not allowed', retry: false },
  ATTACHMENT_INVALID: { message: 'An attachment cannot be used', retry: false },
  ATTACHMENT_NOT_ALLOWED: { message: 'An attachment refers to a place outside of the allow-list', retry: false },
  IDEMPOTENCY_CONFLICT: { message: 'This idempotency key was used with other content', retry: false },
  TEMPLATE_NOT_FOUND: { message: 'No template has this name', retry: false },
  TEMPLATE_INVALID: { message: 'A template does not compile', retry: false },
  TEMPLATE_FOLDER_MISSING: { message: 'The template folder does not exist', retry: false },
  TEMPLATE_VARIABLE_MISSING: { message: 'The data lacks a variable that the template uses', retry: false },
  TEMPLATE_RENDER_FAILED: { message: 'A template cannot be rendered with this data', retry: false },
  TEMPLATE_DATA_INVALID: { message: 'The data does not fit the schema of the template', retry: false },
  STORE_UNAVAILABLE: { message: 'The database cannot be opened or did not answer', retry: true },
  STORE_READ_ONLY: { message: 'The database cannot be written', retry: false },
  STORE_FULL: { message: 'The disk of the database is full', retry: true },
  STORE_CORRUPT: { message: 'The database, or a row in it, is damaged', retry: false },
  STORE_NEWER: { message: 'The database was written by a newer version', retry: false },
  BODY_CONSUMED: {
    message: 'Something read the request body before the relay: mount the relay before body parsers',
    retry: false,
  },
  BODY_TOO_LARGE: { message: 'The request body is too large', retry: false },
  PROVIDER_BROKEN: { message: 'A provider of webhooks does not keep to its interface', retry: false },
  MAIL_UNREADABLE: { message: 'A mail that came back could not be read', retry: true },
  SUBSCRIPTION_NOT_FOUND: { message: 'No subscription has this name', retry: false },
  EVENT_NOT_FOUND: { message: 'No event that can be replayed has this id', retry: false },
  INTERNAL: { message: 'The relay failed in a way that it did not expect', retry: false },
} as const;

/** HTTP statuses by code, for what is neither 503 (it can succeed later) nor 500. */
const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  RELAY_STOPPED: 503,
  DKIM_KEY_MISSING: 400,
  MESSAGE_INVALID: 400,
  MESSAGE_TOO_LARGE: 400,
  MESSAGE_NOT_FOUND: 404,
  MESSAGE_STATE: 409,
  ADDRESS_INVALID: 400,
  RECIPIENT_MISSING: 400,
  ROUTE_NOT_FOUND: 400,
  HEADER_INVALID: 400,
  ATTACHMENT_INVALID: 400,
  ATTACHMENT_NOT_ALLOWED: 400,
  IDEMPOTENCY_CONFLICT: 409,
  TEMPLATE_VARIABLE_MISSING: 400,
  TEMPLATE_RENDER_FAILED: 400,
  TEMPLATE_DATA_INVALID: 400,
  BODY_TOO_LARGE: 413,
  SUBSCRIPTION_NOT_FOUND: 404,
  EVENT_NOT_FOUND: 404,
};

/** The HTTP status that an error answers best with. */
export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? (ERRORS[code].retry ? 503 : 500);
}

/** A stable code of {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

/** What an error is about: plain values only, never secrets. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

const brand = Symbol.for('mailrelay.error');

/**
 * The one error class of the relay.
 *
 * @example
 * try { await relay.send(message); } catch (error) {
 *   if (isMailRelayError(error) && error.retry) return later();
 *   throw error;
 * }
 */
export class MailRelayError extends Error {
  override readonly name = 'MailRelayError';
  /** Stable code; see {@link ERRORS}. */
  readonly code: ErrorCode;
  /** Whether the same call can succeed later without a change by the caller. */
  readonly retry: boolean;
  /** HTTP status for an answer: 4xx where the message is at fault, 503 where it can succeed later, else 500. Express reads it. */
  readonly status: number;
  /** What the error is about. `details.reason`, where there is one, is a sentence that the message ends with. */
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options: { cause?: unknown } = {}) {
    const reason = typeof details.reason === 'string' ? `: ${details.reason}` : '';
    super(`${ERRORS[code].message}${reason}`, options);
    this.code = code;
    this.retry = ERRORS[code].retry;
    this.status = statusOf(code);
    this.details = details;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether `error` is a {@link MailRelayError}, also one that another copy of this package made. */
export function isMailRelayError(error: unknown): error is MailRelayError {
  return typeof error === 'object' && error !== null && (error as Record<symbol, unknown>)[brand] === true;
}

/** An error as plain data, for crossing a thread. */
export interface SerializedError {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly stack: string | undefined;
  readonly cause: string | undefined;
}

/** Turns any error into plain data; errors that are not ours become `INTERNAL`. */
export function serializeError(error: unknown): SerializedError {
  const own = isMailRelayError(error)
    ? error
    : new MailRelayError('INTERNAL', { reason: messageOf(error) }, { cause: error });
  return {
    code: own.code,
    details: own.details,
    stack: own.stack,
    cause: own.cause === undefined ? undefined : messageOf(own.cause),
  };
}

/** The error again, as it was before {@link serializeError}. */
export function reviveError(data: SerializedError): MailRelayError {
  const options = data.cause === undefined ? {} : { cause: new Error(data.cause) };
  const error = new MailRelayError(data.code, data.details, options);
  if (data.stack !== undefined) error.stack = data.stack;
  return error;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
