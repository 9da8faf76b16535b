import { createTestRelay, type MailMatchers, mailMatchers, type TestKit } from '@mailrelay/core/testing';

declare global {
  namespace jest {
    interface Matchers<R> extends MailMatchers {}
  }
}

expect.extend(mailMatchers);

let kit: TestKit;
beforeAll(async () => {
  kit = await createTestRelay({
    templates: [{ name: 'welcome', subject: 'Welcome, {{name}}', html: '<a href="https://acme.example/go">Go</a>' }],
  });
});
afterAll(() => kit.stop());

test('mail that was sent is found', async () => {
  const { relay, inbox, click } = kit;
  await expect(inbox).not.toHaveReceived();
  await relay.send({ to: 'ada@example.com', template: 'welcome', data: { name: 'Ada' } });
  await expect(inbox).toHaveReceived({ to: 'ada@example.com', template: 'welcome', times: 1 });
  expect(await click(await inbox.last(), 'Go')).toBe('https://acme.example/go');
});

test('the message says what is there instead', async () => {
  await expect(expect(kit.inbox).toHaveReceived({ to: 'grace@example.com' })).rejects.toThrow(
    'expected a mail with to grace@example.com, and found none; the inbox has\n  ada@example.com: "Welcome, Ada"',
  );
  await expect(expect(kit.inbox).not.toHaveReceived()).rejects.toThrow('expected a mail, and found 1');
});

test('the types know what an inbox is asked for', () => {
  // @ts-expect-error: a mail has no such field
  const wrong = () => expect(kit.inbox).toHaveReceived({ too: 'ada@example.com' });
  expect(wrong).toBeDefined();
});
