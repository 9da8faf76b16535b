import { contentsOf, describeQuery, type Inbox, type MailQuery } from './inbox.ts';

/** What a matcher answers, to vitest and to jest. */
interface MatcherResult {
  readonly pass: boolean;
  message(): string;
}

/**
 * What {@link mailMatchers} adds to `expect`. They answer promises: `await` them.
 *
 * @example
 * declare module 'vitest' { interface Matchers<R extends void | Promise<void>, T> extends MailMatchers {} }
 * @example
 * declare global { namespace jest { interface Matchers<R> extends MailMatchers {} } } // jest with `@types/jest`
 * declare module 'expect' { interface Matchers<R> extends MailMatchers {} } // jest with `@jest/globals`
 */
export interface MailMatchers {
  /** The inbox has a mail that fits; with `times`, exactly so many. */
  toHaveReceived(query?: MailQuery & { readonly times?: number }): Promise<void>;
}

/**
 * Matchers for `expect.extend()` of vitest and jest.
 *
 * @example
 * expect.extend(mailMatchers);
 * await expect(inbox).toHaveReceived({ to: 'ada@example.com', template: 'welcome' });
 */
export const mailMatchers: {
  toHaveReceived(inbox: Inbox, query?: MailQuery & { readonly times?: number }): Promise<MatcherResult>;
} = {
  async toHaveReceived(inbox, { times, ...query } = {}) {
    const { length } = await inbox.all(query);
    const contents = await contentsOf(inbox);
    const wanted = times === undefined ? 'a mail' : `${times} mails`;
    return {
      pass: times === undefined ? length > 0 : length === times,
      message: () =>
        `expected ${wanted}${describeQuery(query)}, and found ${length === 0 ? 'none' : length}; ${contents}`,
    };
  },
};
