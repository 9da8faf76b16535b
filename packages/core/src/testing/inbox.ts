import type { MailRelay } from '../index.ts';
import { readTestMail, type TestMail } from './mail.ts';

/** What a mail is found by; all that is given must fit. */
export interface MailQuery {
  /** The recipient, whatever its case. */
  readonly to?: string;
  readonly subject?: string | RegExp;
  /** Name of the template. */
  readonly template?: string;
  readonly campaign?: string;
  /** Text that the mail shows, in its text or HTML. */
  readonly text?: string | RegExp;
}

/** The mail that was sent. Everybody shares one: ask for a recipient. */
export interface Inbox {
  /** The newest mail. @throws Error where there is none */
  last(query?: MailQuery): Promise<TestMail>;
  /** The newest mail that fits; undefined where none does. */
  find(query: MailQuery): Promise<TestMail | undefined>;
  /** Every mail that fits, oldest first. */
  all(query?: MailQuery): Promise<readonly TestMail[]>;
  /** Forgets what came until now. */
  clear(): Promise<void>;
}

/** What the inbox works with. */
export interface InboxContext {
  readonly relay: MailRelay;
  settled(): Promise<void>;
  /** The source of a captured mail. */
  source(deliveryId: string): Promise<Uint8Array>;
}

/** Collects what is sent. Every question waits until what is due has been sent. */
export function createInbox({ relay, settled, source }: InboxContext): Inbox {
  let ids: string[] = [];
  const read = new Map<string, Promise<TestMail>>();
  relay.on('sent', ({ deliveryId }) => void ids.push(deliveryId));

  async function load(id: string): Promise<TestMail> {
    const record = await relay.messages.get(id);
    const delivery = record?.deliveries.find((one) => one.id === id);
    if (record === undefined || delivery === undefined) throw new Error(`the delivery ${id} is gone`);
    return readTestMail(record, delivery, await source(id));
  }

  function mailOf(id: string): Promise<TestMail> {
    const mail = read.get(id) ?? load(id);
    read.set(id, mail);
    return mail;
  }

  async function all(query: MailQuery = {}): Promise<readonly TestMail[]> {
    await settled();
    const mails = await Promise.all(ids.map(mailOf));
    return mails.filter((mail) => fits(mail, query));
  }

  return {
    all,
    find: async (query) => (await all(query)).at(-1),
    async last(query) {
      const mail = (await all(query)).at(-1);
      if (mail === undefined) throw new Error(`no mail${describeQuery(query)} was sent; ${await contentsOf({ all })}`);
      return mail;
    },
    async clear() {
      await settled();
      ids = [];
      read.clear();
    },
  };
}

/** Whether a mail fits. */
function fits(mail: TestMail, { to, subject, template, campaign, text }: MailQuery): boolean {
  return (
    (to === undefined || mail.to.toLowerCase() === to.toLowerCase()) &&
    (subject === undefined || matches(mail.subject, subject, (a, b) => a === b)) &&
    (template === undefined || mail.template === template) &&
    (campaign === undefined || mail.campaign === campaign) &&
    (text === undefined || [mail.text, mail.html].some((body) => matches(body ?? '', text, (a, b) => a.includes(b))))
  );
}

function matches(value: string, wanted: string | RegExp, same: (value: string, wanted: string) => boolean): boolean {
  return typeof wanted === 'string' ? same(value, wanted) : wanted.test(value);
}

/** The query as part of a sentence. */
export function describeQuery(query: MailQuery = {}): string {
  const parts = Object.entries(query).filter(([, value]) => value !== undefined);
  return parts.length === 0 ? '' : ` with ${parts.map(([key, value]) => `${key} ${value}`).join(', ')}`;
}

/** What there is, for who did not find something. */
export async function contentsOf(inbox: Pick<Inbox, 'all'>): Promise<string> {
  const mails = await inbox.all();
  if (mails.length === 0) return 'the inbox is empty';
  const lines = mails.map(
    ({ to, subject, template }) => `  ${to}: "${subject}"${template === undefined ? '' : ` (template ${template})`}`,
  );
  return `the inbox has\n${lines.join('\n')}`;
}
