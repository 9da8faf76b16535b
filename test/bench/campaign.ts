import { createMailRelay, defineTemplate, smtp, sqlite } from '@mailrelay/core';
import { createTransport } from 'nodemailer';
import { newsletter } from './newsletter.ts';
import { type Benchmark, elapsedMs, type Figure, median, scratchFolder, startSink } from './support.ts';

const RECIPIENTS = Number(process.env.BENCH_RECIPIENTS ?? 6000);
const ROUNDS = 3;
const CONNECTIONS = 10;

const person = (index: number): { firstName: string; city: string } => ({ firstName: `Reader ${index}`, city: 'Lyon' });

/** A campaign at full speed, beside nodemailer's pool that sends messages of the same size, rendered before. */
export const campaign: Benchmark = {
  name: 'campaign',
  title: `campaign of ${RECIPIENTS} template mails: rendered, tracked and durable, beside nodemailer's pool with messages that are rendered already`,
  async run() {
    const sink = await startSink();
    const speeds: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
    let bytesPerDelivery = 0;
    let htmlBytes = 0;
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const ours = await runRelay(sink.port);
        speeds.ours.push(RECIPIENTS / ours.seconds);
        bytesPerDelivery = ours.bytesPerDelivery;
        htmlBytes = ours.html.length;
        speeds.peer.push(RECIPIENTS / (await runPool(sink.port, ours.html, ours.text)));
      }
    } finally {
      sink.stop();
    }
    const figures: Figure[] = [
      { name: 'html of one mail', value: htmlBytes / 1024, unit: 'KB' },
      { name: 'mail relay', value: median(speeds.ours), unit: 'messages/s' },
      { name: "nodemailer's pool", value: median(speeds.peer), unit: 'messages/s' },
      { name: 'ratio', value: median(speeds.ours) / median(speeds.peer), unit: 'times', target: 3 },
      { name: 'database', value: bytesPerDelivery, unit: 'bytes/delivery', target: 400, atMost: true },
    ];
    return figures;
  },
};

async function runRelay(
  port: number,
): Promise<{ seconds: number; bytesPerDelivery: number; html: string; text: string }> {
  const folder = scratchFolder();
  const template = defineTemplate({ name: 'news', subject: 'News for {{firstName}}', mjml: newsletter(3) });
  const relay = createMailRelay({
    publicUrl: 'https://mail.example.com',
    secret: 'a secret for the benchmark',
    from: 'News <news@example.com>',
    store: sqlite(`${folder.path}/relay.db`),
    templates: [template],
    routes: [smtp({ host: '127.0.0.1', port, connections: CONNECTIONS, maxMessagesPerConnection: 1000 })],
  });
  try {
    await relay.start();
    const { html = '', text } = await relay.templates.render('news', {
      ...person(1),
      unsubscribeUrl: 'https://mail.example.com/mail/u/x',
    });
    const people = function* (): Generator<{ to: string; data: object }> {
      for (let index = 0; index < RECIPIENTS; index++) yield { to: `reader${index}@example.com`, data: person(index) };
    };
    const ms = await elapsedMs(async () => {
      await relay.sendMany(people(), { campaign: 'bench', template: 'news' });
      for (;;) {
        const { pending } = await relay.reports.campaign('bench');
        if (pending === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    const { sent } = await relay.reports.campaign('bench');
    if (sent !== RECIPIENTS) throw new Error(`${sent} of ${RECIPIENTS} were sent`);
    const { store } = await relay.health();
    const dataBytes = JSON.stringify({ data: person(1000) }).length;
    return { seconds: ms / 1000, bytesPerDelivery: store.bytes / RECIPIENTS - dataBytes, html, text };
  } finally {
    await relay.stop();
    folder.remove();
  }
}

async function runPool(port: number, html: string, text: string): Promise<number> {
  const pool = createTransport({
    host: '127.0.0.1',
    port,
    pool: true,
    maxConnections: CONNECTIONS,
    maxMessages: 1000,
    ignoreTLS: true,
  });
  const ms = await elapsedMs(async () => {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < RECIPIENTS) {
        const index = next++;
        await pool.sendMail({
          from: 'News <news@example.com>',
          to: `reader${index}@example.com`,
          subject: `News for Reader ${index}`,
          html,
          text,
        });
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS * 2 }, worker));
  });
  pool.close();
  return ms / 1000;
}
