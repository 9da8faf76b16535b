import { describe, expect, it } from 'vitest';
import { capture, type MessageEvent, smtp } from '../../../packages/core/src/index.ts';
import { placesOf, ranked } from '../../../packages/core/src/route/places.ts';
import { relayWith } from '../../support/relay.ts';
import { politely, rawServer, smtpServer } from '../../support/smtp.ts';

const mail = { to: 'ada@example.org', subject: 'Hi', text: 'Hello' } as const;
const at = (port: number, name: string) => smtp({ host: '127.0.0.1', port, ignoreTls: true }, { name });
/** A server that answers one command with a refusal, and takes the rest. */
const refusing = (command: RegExp, reply: string) =>
  rawServer(politely((line) => (command.test(line) ? reply : undefined)));

describe('routes that share by weight', () => {
  const weighted = (port: number, name: string, weight: number) =>
    smtp({ host: '127.0.0.1', port, ignoreTls: true }, { name, weight });
  const people = Array.from({ length: 200 }, (_, index) => `r${index}@example.org`);

  it('share what one of them cannot send, by their weights, before the next route gets any', async () => {
    const broken = await refusing(/^MAIL/, '530 5.7.0 Authentication required');
    const [two, three, last] = [await smtpServer(), await smtpServer(), await smtpServer()];
    const routes = [
      weighted(broken.port, 'one', 2),
      weighted(two.port, 'two', 3),
      weighted(three.port, 'three', 1),
      at(last.port, 'last'),
    ];
    const relay = relayWith({ routes });
    await relay.sendMany(people, { campaign: 'c', subject: 'Hi', text: 'Hello' });
    await expect.poll(async () => (await relay.reports.campaign('c')).sent, { timeout: 20_000 }).toBe(people.length);
    expect(two.mails.length + three.mails.length).toBe(people.length);
    // Three quarters are 150; the bounds are wide enough for chance that is always the same.
    expect(two.mails.length).toBeGreaterThan(125);
    expect(two.mails.length).toBeLessThan(175);
    expect(last.mails).toEqual([]);
  });

  it('hand a mail on to each other once, and then to the next route: never round in circles', async () => {
    const broken = [
      await refusing(/^MAIL/, '454 Throttling failure: Daily message quota exceeded.'),
      await refusing(/^MAIL/, '454 Throttling failure: Daily message quota exceeded.'),
    ];
    const last = await smtpServer();
    const routes = [...broken.map(({ port }, index) => weighted(port, `broken${index}`, 1)), at(last.port, 'last')];
    const relay = relayWith({ routes });
    const events: MessageEvent[] = [];
    relay.on('event', (event) => void events.push(event));
    await relay.send({ ...mail, to: people.slice(0, 20) });
    const sent = () => events.filter(({ type }) => type === 'sent');
    await expect.poll(() => sent().length).toBe(20);
    expect(last.mails).toHaveLength(20);
    for (const event of sent()) expect(event).toMatchObject({ type: 'sent', attempt: 3 });
  });

  it('stand in an order of the recipient, in which each comes first by its weight, also where one is left out', () => {
    const [place = []] = placesOf([
      capture({ name: 'a', weight: 5 }),
      capture({ name: 'b', weight: 3 }),
      capture({ name: 'c', weight: 2 }),
    ]);
    const share = (candidates: typeof place, name: string): number =>
      Array.from({ length: 4000 }, (_, index) => ranked(candidates, `r${index}@example.org`)[0]?.name).filter(
        (first) => first === name,
      ).length / 4000;
    expect(share(place, 'a')).toBeCloseTo(0.5, 1);
    expect(share(place, 'b')).toBeCloseTo(0.3, 1);
    const rest = place.filter(({ name }) => name !== 'a');
    expect(share(rest, 'b')).toBeCloseTo(0.6, 1);
    // Who had b or c keeps it: only what a had moves.
    for (let index = 0; index < 200; index++) {
      const [first] = ranked(place, `r${index}@example.org`);
      if (first?.name !== 'a') expect(ranked(rest, `r${index}@example.org`)[0]).toBe(first);
    }
    expect(ranked(place, 'ADA@example.org')).toEqual(ranked(place, 'ada@example.org'));
  });
});
