import { type MailMatchers, mailMatchers } from '@mailrelay/core/testing';
import { describe, expect, it } from 'vitest';
import { kitWith } from './support.ts';

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void>, T> extends MailMatchers {}
}

expect.extend(mailMatchers);

describe('toHaveReceived()', () => {
  it('holds for mail that fits, and not for other mail', async () => {
    const { relay, inbox } = await kitWith();
    await expect(inbox).not.toHaveReceived();
    await relay.send({ to: 'ada@example.com', subject: 'Hello', text: 't' });
    await expect(inbox).toHaveReceived({ to: 'ada@example.com', subject: /^Hell/ });
    await expect(inbox).toHaveReceived({ times: 1 });
    await expect(inbox).not.toHaveReceived({ to: 'grace@example.com' });
  });

  it('shows what is there instead', async () => {
    const { relay, inbox } = await kitWith();
    await relay.send({ to: 'ada@example.com', subject: 'Hello', text: 't' });
    await expect(expect(inbox).toHaveReceived({ to: 'grace@example.com', times: 2 })).rejects.toThrow(
      'expected 2 mails with to grace@example.com, and found none; the inbox has\n  ada@example.com: "Hello"',
    );
    await expect(expect(inbox).not.toHaveReceived()).rejects.toThrow('expected a mail, and found 1');
  });
});
