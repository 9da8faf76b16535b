import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { Agent, request } from 'node:http';
import { startChild } from './child.ts';
import { type Benchmark, median, medianRatio, type Size } from './figures.ts';
import { recipient } from './mails.ts';
import type { WebhooksProcess } from './webhooks.child.ts';

const BATCH = 100;
const SIZES: Readonly<Record<Size, { mails: number; hooks: number; rounds: number }>> = {
  full: { mails: 20_000, hooks: 100, rounds: 7 },
  tiny: { mails: 100, hooks: 5, rounds: 1 },
};

/** How long a provider waits for the answer to a batch, whose events are durable then. */
export const webhooks: Benchmark = {
  name: 'webhooks',
  title: `a signed webhook of ${BATCH} events, durable, beside a bare Express route that parses it and does one fsync`,
  durable: true,
  async run(size) {
    const { mails, hooks, rounds } = SIZES[size];
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const child = startChild<WebhooksProcess>('./webhooks.child.ts');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      const key = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
      const { port, deliveries } = await child.ask('start', mails, key);
      const send = (path: string, hook: Hook): Promise<number> => post({ agent, port, path, hook });
      let number = 0;
      let opens = 0;
      const ours: number[] = [];
      const bare: number[] = [];
      for (let round = 0; round <= rounds; round++) {
        const times: Record<'ours' | 'bare', number[]> = { ours: [], bare: [] };
        for (let hook = 0; hook < hooks; hook++) {
          const made = hookOf(number, deliveries, privateKey);
          number += BATCH;
          opens += made.opens;
          times.ours.push(await send('/mail/hooks/sendgrid', made));
          times.bare.push(await send('/bare', made));
        }
        // The first round warms up.
        if (round === 0) continue;
        ours.push(median(times.ours));
        bare.push(median(times.bare));
      }
      const stored = await child.ask('stored');
      if (stored !== opens) throw new Error(`${opens} opens were sent, and ${stored} are stored`);
      await child.ask('stop');
      return [
        { name: 'median answer', value: median(ours), unit: 'ms', target: 50, atMost: true },
        { name: 'bare route with one fsync', value: median(bare), unit: 'ms' },
        { name: 'times the bare route', value: medianRatio(ours, bare), unit: '×' },
      ];
    } finally {
      agent.destroy();
      await child.stop();
    }
  },
};

interface Hook {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** Events among them that are opens. */
  readonly opens: number;
}

/** Most of what comes is delivered and opened; some is clicked, deferred, bounced or complained about. */
function kindOf(number: number): object {
  const kind = number % 20;
  if (kind < 11) return { event: 'delivered', response: '250 2.0.0 OK' };
  if (kind < 16) return { event: 'open', useragent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' };
  if (kind < 18) return { event: 'click', url: `https://example.com/${number % 7}`, useragent: 'Mozilla/5.0 Firefox' };
  if (number % 100 === 18)
    return { event: 'bounce', type: 'bounce', reason: '550 5.1.1 User unknown', status: '5.1.1' };
  if (number % 100 === 19) return { event: 'spamreport' };
  return { event: 'deferred', response: '451 4.7.1 greylisted, try again later', attempt: '1' };
}

function hookOf(first: number, deliveries: readonly string[], key: KeyObject): Hook {
  const now = Math.floor(Date.now() / 1000);
  const events = Array.from({ length: BATCH }, (_, index) => {
    const number = first + index;
    const place = number % deliveries.length;
    return {
      email: recipient(place).to,
      timestamp: now,
      'smtp-id': `<${number}@ismtpd-1.example>`,
      sg_event_id: `event-${number}`,
      sg_message_id: `message-${number}.filter0001.16648.5515E0B88.0`,
      ...kindOf(number),
      mail_relay_delivery: deliveries[place],
      mail_relay_campaign: 'bench',
    };
  });
  const body = Buffer.from(JSON.stringify(events));
  const signature = createSign('sha256').update(`${now}`).update(body).sign(key, 'base64');
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'x-twilio-email-event-webhook-signature': signature,
      'x-twilio-email-event-webhook-timestamp': `${now}`,
    },
    opens: events.filter((event) => 'event' in event && event.event === 'open').length,
  };
}

/** Ms until the answer is there. */
function post({ agent, port, path, hook }: { agent: Agent; port: number; path: string; hook: Hook }): Promise<number> {
  const { body, headers } = hook;
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const asked = request(
      { agent, port, path, method: 'POST', headers: { ...headers, 'content-length': body.length } },
      (answer) => {
        answer.resume();
        answer.once('end', () => {
          if (answer.statusCode === 200) resolve(performance.now() - start);
          else reject(new Error(`${path} answered ${answer.statusCode}`));
        });
      },
    );
    asked.once('error', reject);
    asked.end(body);
  });
}
