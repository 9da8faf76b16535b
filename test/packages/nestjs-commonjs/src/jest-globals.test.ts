import { expect, test } from '@jest/globals';
import { createTestRelay, type MailMatchers, mailMatchers } from '@mailrelay/core/testing';

declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T = unknown> extends MailMatchers {}
}

expect.extend(mailMatchers);

test('matchers work for what is imported from @jest/globals', async () => {
  const { relay, inbox, stop } = await createTestRelay();
  await relay.send({ to: 'ada@example.com', subject: 'Hello', text: 'Hello' });
  await expect(inbox).toHaveReceived({ subject: /^Hel/ });
  await stop();
});
