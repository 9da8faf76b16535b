import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createBounceMails } from '../../packages/core/src/engine/bounce-mails.ts';
import { createConsent } from '../../packages/core/src/engine/consent.ts';
import { createFeedback } from '../../packages/core/src/engine/feedback.ts';
import { configureWebhooks } from '../../packages/core/src/feedback/providers/configure.ts';
import { decodeId, encodeId } from '../../packages/core/src/message.ts';
import type { Settlement } from '../../packages/core/src/queue/port.ts';
import type { Store } from '../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../packages/core/src/store/sqlite/store.ts';
import { resolveSuppression } from '../../packages/core/src/suppression-policy.ts';
import { createTokens } from '../../packages/core/src/token.ts';
import { contentOf, recipientOf } from '../support/content.ts';
import { scratchFolder } from '../support/relay.ts';
import { type Chance, type Input, inputFor, type Mail } from './support/feedback-inputs.ts';
import { inForm, random } from './support/form.ts';

const EVENTS = inForm({ short: 3000, full: 100_000 });
/** About a mail comes as much in both forms. */
const MAILS = Math.ceil(EVENTS / 25);
const ADDRESSES = Math.ceil(MAILS / 3);
const TIMEOUT = inForm({ short: 60_000, full: 900_000 });
const SECRET = 'a-secret-of-16-chars';
const SENT = Date.UTC(2026, 0, 5, 12);
const DAY_MS = 86_400_000;
/** Over several days: a figure that counts once counts on the day of what happened first, whatever came first. */
const WITHIN_MS = 4 * DAY_MS;
const NOW = SENT + 5 * DAY_MS;

const tokens = createTokens(['a secret of enough length']);
const shared = { secret: SECRET };
const providers = configureWebhooks(
  {
    ses: { topics: ['arn:aws:sns:eu-west-3:123456789012:mail'], secret: SECRET },
    sendgrid: {
      publicKey:
        'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==',
    },
    mailgun: { signingKey: 'key' },
    ...{ brevo: shared, sarbacane: shared, postmark: shared },
  },
  {},
);
const chance: Chance = { below: (limit) => Math.floor(random() * limit) };

/** What the server says of each mail at once. Of what it does not take nothing comes back. */
const OUTCOMES: readonly Settlement['result'][] = [
  ...Array.from({ length: 18 }, () => ({ type: 'sent', reply: '250 ok' }) as const),
  {
    type: 'bounced',
    kind: 'hard',
    reply: '550 5.1.1 Unknown',
    status: '5.1.1',
    reason: 'no-such-mailbox',
    suppress: true,
  },
  { type: 'bounced', kind: 'soft', reply: '552 5.2.2 Full', status: '5.2.2', reason: 'mailbox-full', suppress: false },
];
const outcomeOf = (index: number): Settlement['result'] => OUTCOMES[index % OUTCOMES.length] as Settlement['result'];
const isTaken = (index: number): boolean => outcomeOf(index).type === 'sent';

type Step = Input | { readonly kind: 'settle'; readonly index: number };

interface World {
  readonly store: Store;
  readonly mails: readonly Mail[];
  readonly owner: number;
}

/** A store in a file with mails that are on their way, the same ones each time. */
async function sending(path: string): Promise<World> {
  const messageIdOf = ({ deliveryId }: { deliveryId: number }): string => `<${deliveryId}@example.com>`;
  const store = createSqliteStore({ path, messageIdOf });
  await store.open();
  const accepted = await Promise.all(
    Array.from({ length: MAILS }, (_, number) =>
      store.intake.accept({
        content: contentOf({ stream: 'broadcast' }),
        campaign: 'spring',
        tags: [],
        metadata: undefined,
        sendAt: undefined,
        idempotencyKey: undefined,
        recipients: [recipientOf(`reader${number % ADDRESSES}@example.net`)],
        route: 'out',
        now: SENT - MAILS + number,
      }),
    ),
  );
  const mails = accepted.map(({ deliveries }, number) => ({
    id: decodeId('dlv', deliveries[0]?.id ?? '') ?? 0,
    recipient: `reader${number % ADDRESSES}@example.net`,
  }));
  const owner = await store.queue.register({ pid: 1, host: 'here', rates: {} }, SENT);
  await store.queue.claim({ lane: { route: 'out', stream: 'broadcast' }, limit: MAILS, owner, now: SENT });
  return { store, mails, owner };
}

function inputsOf(mails: readonly Mail[]): Input[] {
  const taken = mails.filter((_, index) => isTaken(index));
  return Array.from({ length: EVENTS }, (_, number) => {
    const known = taken[chance.below(taken.length)] as Mail;
    // Some are about mails that are not known here.
    const mail = chance.below(50) === 0 ? { id: number + 1, recipient: `stranger${number}@example.net` } : known;
    return inputFor(mail, number, SENT + 60_000 + Math.floor((number / EVENTS) * WITHIN_MS), chance, tokens);
  });
}

/** What comes in, as the engine takes it: webhooks in batches, mails one by one. */
async function run({ store, mails, owner }: World, steps: readonly Step[]): Promise<void> {
  const clock = { now: () => NOW };
  const publish = (): void => {};
  const warnings = { note: () => {} };
  const feedback = createFeedback({ store, clock, publish, policy: resolveSuppression(), warnings, log: () => {} });
  const { receiveMail } = createBounceMails({ clock, tokens, receive: feedback.receive });
  const consent = createConsent({ store, clock, publish });

  async function one(step: Step): Promise<unknown> {
    if (step.kind === 'settle') {
      const { index } = step;
      const settled = { deliveryId: mails[index]?.id ?? 0, startedAt: SENT, transcript: undefined };
      return store.queue.settle([{ ...settled, result: outcomeOf(index) }], { owner, now: SENT + 1000 });
    }
    if (step.kind === 'mail') return receiveMail(Buffer.from(step.raw));
    if (step.kind === 'left') {
      const { mail, at } = step;
      const claim = { deliveryId: mail.id, address: mail.recipient, scope: 'broadcast', locale: undefined };
      return consent.unsubscribe({ ...claim, at, evidence: 'a link' });
    }
    if (step.kind === 'read') {
      const { type, mail, at } = step;
      const agent = { kind: mail.id % 5 === 0 ? 'privacy' : 'human', evidence: 'x', userAgent: undefined } as const;
      const url = type === 'clicked' ? { url: `https://shop.example/${mail.id % 5}` } : {};
      return store.activity.record([{ type, deliveryId: mail.id, at, agent, ...url }]);
    }
    const hook = { body: Buffer.from(step.body), header: () => undefined };
    const events = await providers.get(step.provider)?.read(hook, { now: NOW });
    expect(events).toHaveLength(1);
    return feedback.receive(events ?? []);
  }
  // As many at once as a busy relay has.
  for (let at = 0; at < steps.length; at += 100) await Promise.all(steps.slice(at, at + 100).map(one));
}

function shuffled<T>(list: readonly T[]): T[] {
  const copy = [...list];
  for (let at = copy.length - 1; at > 0; at--) {
    const other = chance.below(at + 1);
    [copy[at], copy[other]] = [copy[other] as T, copy[at] as T];
  }
  return copy;
}

/** Everything that reports and lists say. */
async function saidBy({ store, mails }: World) {
  const suppressed: string[] = [];
  for (let after: string | undefined; ; ) {
    const { items, next } = await store.suppressions.list({ limit: 1000, after });
    for (const { address, scope, reason, until } of items)
      suppressed.push([address, scope, reason, until?.toISOString()].join(' '));
    if (next === undefined) break;
    after = next;
  }
  let unmatched = 0;
  for (let after: string | undefined; ; ) {
    const { items, next } = await store.feedback.unmatched({ limit: 1000, after });
    unmatched += items.length;
    if (next === undefined) break;
    after = next;
  }
  const states = await Promise.all(
    mails.map(async ({ id }) => (await store.log.get(encodeId('dlv', id)))?.deliveries[0]?.state),
  );
  const from = Date.UTC(2026, 0, 5);
  const to = from + 6 * DAY_MS;
  return {
    campaign: await store.reports.campaign('spring'),
    links: await store.reports.links('spring', 100),
    days: await store.reports.days({ from, to, stream: undefined }),
    campaignDays: await store.reports.campaignDays({ campaign: 'spring', from, to }),
    ways: await store.reports.ways('day', { from, to }),
    suppressed,
    states,
    unmatched,
  };
}

/** What comes again: all but what readers do, which counts each time. */
const comesAgain = (step: Step): boolean => step.kind === 'webhook' || step.kind === 'mail' || step.kind === 'left';

describe('what comes back about many mails', () => {
  it('gives the same reports and suppressions repeated and in any order, in a database of the same size', {
    timeout: TIMEOUT,
  }, async () => {
    const folder = scratchFolder();
    let inputs: Input[] | undefined;
    const outcome = async (name: string, order: (settles: Step[], inputs: Input[]) => Step[]) => {
      const started = performance.now();
      const world = await sending(join(folder, `${name}.db`));
      inputs ??= inputsOf(world.mails);
      const settles = world.mails.map((_, index) => ({ kind: 'settle', index }) as const);
      const steps = order(settles, inputs);
      await run(world, steps);
      const said = await saidBy(world);
      const { bytes } = await world.store.size();
      await world.store.close();
      console.info({ name, steps: steps.length, bytes, seconds: Math.round((performance.now() - started) / 1000) });
      return { said, bytes };
    };
    const sorted = await outcome('sorted', (settles, all) => [...settles, ...all]);
    const { campaign, suppressed, states, unmatched } = sorted.said;
    expect(states).toEqual(expect.arrayContaining(['bounced', 'complained', 'delivered']));
    expect(new Set(suppressed.map((entry) => entry.split(' ')[2]))).toEqual(
      new Set(['bounced', 'complained', 'unsubscribed']),
    );
    expect(sorted.said.days.length).toBeGreaterThan(3);
    expect(unmatched).toBeGreaterThan(EVENTS / 200);
    for (const figure of ['sent', 'bounced', 'complained', 'unsubscribed', 'deferrals', 'opensUnique'] as const)
      expect(campaign?.[figure], figure).toBeGreaterThan(0);

    const mess = await outcome('mess', (settles, all) => {
      const again = shuffled(all.filter(comesAgain)).slice(0, EVENTS / 2);
      return shuffled([...settles, ...all, ...again]);
    });
    expect(mess.said).toEqual(sorted.said);
    expect(Math.abs(mess.bytes - sorted.bytes)).toBeLessThan(sorted.bytes * 0.1);
  });
});
