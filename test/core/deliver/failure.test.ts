import { describe, expect, it } from 'vitest';
import {
  failureOf,
  outcomeOf,
  refusal,
  SmtpFailure,
  smtpError,
} from '../../../packages/core/src/deliver/smtp/failure.ts';

const READY = { step: 'RCPT', afterData: false, connected: true };
const AT_THE_DOOR = { step: 'CONN', afterData: false, connected: false };
const AFTER_DATA = { step: 'MESSAGE', afterData: true, connected: true };

describe('what became of a mail', () => {
  it.each([
    ['nothing was said', smtpError('Timeout', 'ETIMEDOUT'), 'timeout'],
    ['the connection was lost', smtpError('read ECONNRESET', 'ECONNECTION'), 'unknown'],
    ['TLS broke', smtpError('TLS connection was reset', 'ESOCKET'), 'unknown'],
  ])('is not known where %s after the message had begun to go out', (_, error, reason) => {
    const outcome = outcomeOf(new SmtpFailure(error, AFTER_DATA));
    expect(outcome).toEqual({ type: 'unknown', reply: error.message, reason });
  });

  it('is known where the server answered the message after all', () => {
    expect(outcomeOf(new SmtpFailure(refusal('554 5.7.1 spam', 'DATA'), AFTER_DATA))).toMatchObject({
      type: 'bounced',
    });
    const later = outcomeOf(new SmtpFailure(refusal('452 4.3.1 no space', 'DATA'), AFTER_DATA));
    expect(later).toMatchObject({ type: 'deferred' });
  });

  it.each([
    '535 5.7.8 Authentication credentials invalid',
    '534 5.7.9 Application-specific password required',
    '530 5.7.0 Authentication required',
    '454 4.7.0 Temporary authentication failure',
  ])('waits after a log-in that the server refused with %s: the recipient has no part in it', (reply) => {
    const error = Object.assign(refusal(reply, 'AUTH PLAIN'), { code: 'EAUTH' });
    for (const progress of [{ ...AT_THE_DOOR, step: 'AUTH' }, READY])
      expect(outcomeOf(new SmtpFailure(error, progress))).toEqual({
        type: 'deferred',
        reply,
        status: undefined,
        reason: 'auth-failure',
        fault: 'login',
      });
  });

  it('waits after a refusal before the session was ready, and is over after the same in it', () => {
    const error = refusal('550 5.1.1 no such user', 'RCPT');
    expect(outcomeOf(new SmtpFailure(error, READY))).toMatchObject({ type: 'bounced', suppress: true });
    expect(outcomeOf(new SmtpFailure(error, AT_THE_DOOR))).toMatchObject({ type: 'deferred', fault: 'refused' });
  });

  it.each([
    [smtpError('unable to verify the first certificate', 'ESOCKET'), 'tls'],
    [smtpError('STARTTLS is not offered', 'ETLS'), 'tls'],
    [smtpError('Greeting never received', 'ETIMEDOUT'), 'timeout'],
    [smtpError('connect ECONNREFUSED 192.0.2.1:25', 'ESOCKET'), 'network'],
  ])('waits where nobody was reached: %s', (error, reason) => {
    expect(outcomeOf(failureOf(error))).toMatchObject({ type: 'deferred', reason, fault: 'connection' });
  });
});
