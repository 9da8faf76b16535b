import { Parser } from 'htmlparser2';
import type { MailRelay } from '../index.ts';
import type { TestClock } from './clock.ts';
import type { TestMail } from './mail.ts';
import { bounceMail, complaintMail } from './reports.ts';

/** How somebody reads. */
export interface ReadOptions {
  /** Time that passes first, ms: who clicks at once is taken for a machine. @default 10000 */
  readonly afterMs?: number;
  /** Program that reads. @default a browser */
  readonly userAgent?: string;
}

/** What recipients do with their mail. Everything goes through the relay's own routes. */
export interface Reader {
  /** Loads the pixel, as a program that shows the mail does. @throws Error where the mail has none */
  open(mail: TestMail, options?: ReadOptions): Promise<void>;
  /** Follows a link, found as `mail.link()` does, and answers where it leads; that page is not asked for. */
  click(mail: TestMail, link: string | RegExp, options?: ReadOptions): Promise<string>;
  /** Unsubscribes: by the button of the mail program (`one-click`, RFC 8058), or on the page that the mail leads to. @default one-click */
  unsubscribe(mail: TestMail, options?: ReadOptions & { readonly via?: 'one-click' | 'page' }): Promise<void>;
  /**
   * Lets the mail bounce after it was sent: a delivery status report (RFC 3464) with this reply is written, and read by
   * `relay.feedback.receive()`. For a mailbox that refuses at once, send to `missing@simulator.example`.
   * @default reply: 550 5.1.1 User unknown
   * @throws Error where the report moves nothing, as after a complaint
   */
  bounce(mail: TestMail, options?: { readonly reply?: string }): Promise<void>;
  /**
   * The recipient says that the mail is spam: a complaint report (RFC 5965) is written, and read by `relay.feedback.receive()`,
   * with the suppression that follows. `complaint@simulator.example` does the same by itself.
   * @throws Error where the report moves nothing
   */
  complain(mail: TestMail): Promise<void>;
}

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const AFTER_MS = 10_000;

/** Reads the mail of a relay. */
export function createReader(relay: MailRelay, clock: TestClock): Reader {
  async function ask(url: string, { afterMs = AFTER_MS, userAgent = BROWSER }: ReadOptions, init: RequestInit = {}) {
    if (afterMs > 0) await clock.advance(afterMs);
    const headers = { ...init.headers, 'User-Agent': userAgent };
    const response = await relay.handle(new Request(url, { ...init, headers }));
    if (response === undefined || response.status >= 400)
      throw new Error(`${url} answered ${response?.status ?? 'nothing'}`);
    return response;
  }

  const isOurs = (url: string): boolean =>
    URL.canParse(url) && url.startsWith(relay.publicUrl) && relay.matches(new URL(url).pathname);

  /** By the parser that reads what servers send. */
  async function receive(mail: TestMail, report: string, became: string): Promise<void> {
    const { kind, feedback } = await relay.feedback.receive(report);
    if (feedback.some(({ outcome, deliveryId }) => outcome === 'moved' && deliveryId === mail.id)) return;
    const found = feedback.map(({ outcome }) => outcome).join(', ') || 'nothing';
    throw new Error(`the mail to ${mail.to} cannot be ${became} any more: the report was ${kind}, ${found}`);
  }

  return {
    async open(mail, options = {}) {
      const pixel = picturesOf(mail.html ?? '').find((url) => /\/o\/[\w-]+(?:\.gif)?$/.test(url) && isOurs(url));
      if (pixel === undefined)
        throw new Error(`"${mail.subject}" has no pixel: \`tracking.opens\` is off for its ${mail.stream} stream`);
      await ask(pixel, options);
    },
    async click(mail, link, options = {}) {
      const { url } = mail.link(link);
      if (!isOurs(url)) return url;
      const response = await ask(url, options, { redirect: 'manual' });
      return response.headers.get('Location') ?? url;
    },
    async unsubscribe(mail, { via = 'one-click', ...options } = {}) {
      const url = [...(mail.header('List-Unsubscribe') ?? '').matchAll(/<([^>]+)>/g)]
        .map(([, address = '']) => address)
        .find(isOurs);
      if (url === undefined)
        throw new Error(`"${mail.subject}" has no unsubscribe link of the relay: only broadcast mail has`);
      const form = { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } };
      if (via === 'one-click') {
        await ask(url, options, { ...form, body: 'List-Unsubscribe=One-Click' });
        return;
      }
      const page = await (await ask(url, options)).text();
      const action = /<form\b[^>]*\baction="([^"]*)"/i.exec(page)?.[1];
      if (action === undefined) throw new Error(`the page ${url} has no form`);
      await ask(new URL(action.replaceAll('&amp;', '&'), url).href, { ...options, afterMs: 0 }, { ...form, body: '' });
    },
    bounce: (mail, { reply = `550 5.1.1 <${mail.to}>: Recipient address rejected: User unknown` } = {}) =>
      receive(mail, bounceMail(mail, reply, clock.now()), 'bounced'),
    complain: (mail) => receive(mail, complaintMail(mail, clock.now()), 'complained'),
  };
}

function picturesOf(html: string): string[] {
  const urls: string[] = [];
  const parser = new Parser({
    onopentag(name, { src }) {
      if (name === 'img' && src !== undefined) urls.push(src);
    },
  });
  parser.end(html);
  return urls;
}
