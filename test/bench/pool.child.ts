/** nodemailer's pool in a process of its own: sends messages that are rendered already. */
import { createTransport } from 'nodemailer';
import { serveCalls } from './child.ts';
import { measured, type Usage } from './load.ts';
import { CONNECTIONS, MAILS_PER_CONNECTION } from './mails.ts';

/** What this process is asked. */
export interface PoolProcess {
  send(task: PoolTask): Promise<PoolRun>;
}

export interface PoolTask {
  readonly port: number;
  readonly messages: number;
  readonly warmUp: number;
  readonly html: string;
  readonly text: string;
  /** Signs each message: a private key, PEM. */
  readonly privateKey?: string;
}

export interface PoolRun extends Usage {
  /** Of one message on the wire. */
  readonly bytes: number;
}

async function send({ port, messages, warmUp, html, text, privateKey }: PoolTask): Promise<PoolRun> {
  const server = { host: '127.0.0.1', port, ignoreTLS: true };
  const pool = createTransport({
    ...server,
    pool: true,
    maxConnections: CONNECTIONS,
    maxMessages: MAILS_PER_CONNECTION,
    ...(privateKey === undefined ? {} : { dkim: { domainName: 'example.com', keySelector: 'bench', privateKey } }),
  });
  let bytes = 0;
  const run = async (count: number): Promise<void> => {
    let next = 0;
    const sender = async (): Promise<void> => {
      while (next < count) {
        const index = next++;
        const to = `reader${index}@example.com`;
        const subject = `News for Reader ${index}`;
        const info = await pool.sendMail({ from: 'News <news@example.com>', to, subject, html, text });
        bytes = info.messageSize ?? 0;
      }
    };
    // Two messages for each connection, so that none waits for the next call.
    await Promise.all(Array.from({ length: CONNECTIONS * 2 }, sender));
  };
  try {
    await run(warmUp);
    const usage = await measured(() => run(messages));
    return { ...usage, bytes };
  } finally {
    pool.close();
  }
}

serveCalls({ send } satisfies PoolProcess);
