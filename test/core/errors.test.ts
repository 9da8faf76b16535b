import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  ERRORS,
  type ErrorCode,
  isMailRelayError,
  MailRelayError,
  messageOf,
  reviveError,
  serializeError,
} from '../../packages/core/src/errors.ts';
import type { Rejection } from '../../packages/core/src/index.ts';

describe('the table of errors', () => {
  it('has these codes, which never change their meaning', () => {
    expect(
      Object.entries(ERRORS).map(([code, { retry }]) => (retry ? `${code} (retry)` : code)),
    ).toMatchInlineSnapshot(`
      [
        "OPTIONS_INVALID",
        "OPTION_UNSUPPORTED",
        "SECRET_MISSING",
        "PUBLIC_URL_MISSING",
        "ROUTE_MISSING",
        "DKIM_KEY_INVALID",
        "DKIM_KEY_MISSING",
        "ROUTE_NOT_FOUND",
        "NODE_TOO_OLD",
        "RELAY_STOPPED",
        "WORKER_UNAVAILABLE",
        "ENGINE_CRASHED (retry)",
        "MESSAGE_INVALID",
        "MESSAGE_TOO_LARGE",
        "MESSAGE_NOT_FOUND",
        "MESSAGE_STATE",
        "ADDRESS_INVALID",
        "RECIPIENT_MISSING",
        "RECIPIENT_DUPLICATE",
        "RECIPIENTS_BROKEN",
        "HEADER_INVALID",
        "ATTACHMENT_INVALID",
        "ATTACHMENT_NOT_ALLOWED",
        "IDEMPOTENCY_CONFLICT",
        "TEMPLATE_NOT_FOUND",
        "TEMPLATE_INVALID",
        "TEMPLATE_FOLDER_MISSING",
        "TEMPLATE_VARIABLE_MISSING",
        "TEMPLATE_RENDER_FAILED",
        "TEMPLATE_DATA_INVALID",
        "STORE_UNAVAILABLE (retry)",
        "STORE_READ_ONLY",
        "STORE_FULL (retry)",
        "STORE_CORRUPT",
        "STORE_NEWER",
        "BODY_CONSUMED",
        "BODY_TOO_LARGE",
        "PROVIDER_BROKEN",
        "MAIL_UNREADABLE (retry)",
        "SUBSCRIPTION_NOT_FOUND",
        "EVENT_NOT_FOUND",
        "INTERNAL",
      ]
    `);
  });

  it('says something about each code', () => {
    for (const { message } of Object.values(ERRORS)) expect(message).toMatch(/^[A-Z].{10,}[^.]$/);
  });
});

describe('an error of the relay', () => {
  it('ends its message with the reason, and carries code, retry and details', () => {
    const error = new MailRelayError('STORE_FULL', { reason: 'no space left', path: '/data' });
    expect(error.message).toBe('The disk of the database is full: no space left');
    expect(error).toMatchObject({
      name: 'MailRelayError',
      code: 'STORE_FULL',
      retry: true,
      details: { path: '/data' },
    });
  });

  it('has the HTTP status that fits: the fault of the message, a state that passes, or ours', () => {
    const status = (code: ErrorCode): number => new MailRelayError(code).status;
    expect((['ADDRESS_INVALID', 'STORE_FULL', 'STORE_CORRUPT'] as const).map(status)).toEqual([400, 503, 500]);
    for (const code of Object.keys(ERRORS) as ErrorCode[])
      if (ERRORS[code].retry) expect(reviveError(serializeError(new MailRelayError(code))).status).toBe(503);
  });

  it('crosses a thread with its code, details, stack and cause', () => {
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      const error = new MailRelayError(code, { field: 'to', reason: 'because' }, { cause: new Error('deep') });
      const back = reviveError(structuredClone(serializeError(error)));
      expect(back).toMatchObject({
        code,
        retry: error.retry,
        message: error.message,
        details: error.details,
        stack: error.stack,
      });
      expect(messageOf(back.cause)).toBe('deep');
      expect(isMailRelayError(back)).toBe(true);
    }
  });

  it('is made of anything else that was thrown, as INTERNAL', () => {
    expect(serializeError(new TypeError('x is not a function'))).toMatchObject({
      code: 'INTERNAL',
      cause: 'x is not a function',
    });
    expect(reviveError(serializeError('plain text')).message).toContain('plain text');
  });

  it('is recognised also when another copy of the package made it', async () => {
    const path = '../../packages/core/src/errors.ts?copy';
    const copy = (await import(/* @vite-ignore */ path)) as typeof import('../../packages/core/src/errors.ts');
    const error = new copy.MailRelayError('INTERNAL');
    expect(error).not.toBeInstanceOf(MailRelayError);
    expect(isMailRelayError(error)).toBe(true);
    expect([isMailRelayError(new Error('x')), isMailRelayError(null), isMailRelayError('INTERNAL')]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

it('a rejection has a code of the table', () => {
  expectTypeOf<Rejection['code']>().toEqualTypeOf<ErrorCode>();
  expect(Object.keys(ERRORS)).toContain('RECIPIENT_DUPLICATE');
});
