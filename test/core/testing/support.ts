import { createTestRelay, type TestKit, type TestRelayOptions } from '@mailrelay/core/testing';
import { onTestFinished } from 'vitest';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const START: Date = new Date('2027-03-01T09:00:00Z');

/** A relay for tests, until the test ends. */
export async function kitWith(options: TestRelayOptions = {}): Promise<TestKit> {
  const kit = await createTestRelay({ now: START, ...options });
  onTestFinished(kit.stop);
  return kit;
}

/** What each delivery of a message is. */
export async function statesOf({ relay }: TestKit, id: string): Promise<Record<string, string>> {
  const record = await relay.messages.get(id);
  return Object.fromEntries((record?.deliveries ?? []).map(({ recipient, state }) => [recipient, state]));
}
