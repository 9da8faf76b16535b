import { type Bench, bench } from './support.ts';

const GIF = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==';

const lines = (...list: string[]): string => list.join('\r\n');

/** Captured mails by id, newest first. */
export const capturedMails = {
  spring: lines(
    'From: Acme <hello@acme.example>',
    'To: =?utf-8?Q?Zo=C3=AB?= <zoe@example.com>',
    'Subject: Spring & summer',
    'Date: Fri, 01 May 2026 12:00:00 +0000',
    'X-Campaign: <script>alert(1)</script>',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=mixed',
    '',
    '--mixed',
    'Content-Type: multipart/related; boundary=related',
    '',
    '--related',
    'Content-Type: multipart/alternative; boundary=alternative',
    '',
    '--alternative',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    'Hello Zoë & all',
    '--alternative',
    'Content-Type: text/html; charset=utf-8',
    '',
    '<!doctype html><html><head><title>Spring</title></head><body><h1>Hello Zo&euml;</h1><img src="cid:logo@acme" alt="logo">',
    '<a href="https://shop.example/?a=1&amp;b=2">Shop</a> <a href="javascript:alert(1)">Odd</a>',
    '<script>document.querySelector("h1").textContent = "taken over"</script></body></html>',
    '--alternative--',
    '--related',
    'Content-Type: image/gif',
    'Content-ID: <logo@acme>',
    'Content-Disposition: inline',
    'Content-Transfer-Encoding: base64',
    '',
    GIF,
    '--related--',
    '--mixed',
    'Content-Type: text/csv',
    "Content-Disposition: attachment; filename*=UTF-8''prices%20%E2%80%93%20%C3%A9t%C3%A9.csv",
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from('a;b\r\n1;2').toString('base64'),
    '--mixed--',
    '',
  ),
  plain: lines(
    'From: hello@acme.example',
    'To: bob@example.com',
    'Subject: Plain words',
    '',
    'Just text: https://shop.example/x',
    '',
  ),
} as const;

/** A development router over captured mails. */
export function inboxBench(
  mails: Readonly<Record<string, string>> = capturedMails,
): Bench & { readonly asked: string[] } {
  const asked: string[] = [];
  const made = bench({
    environment: 'development',
    engine: {
      captured: async () =>
        Object.entries(mails).map(([id, mail], index) => ({
          id,
          at: Date.UTC(2026, 4, 1, 12) - index * 60_000,
          bytes: mail.length,
        })),
      async capturedHead(id) {
        asked.push(id);
        const mail = mails[id];
        const [, recipient = ''] = /^To: .*?([^\s<]+@[^\s>]+)/m.exec(mail ?? '') ?? [];
        return mail === undefined ? undefined : { recipient, head: Buffer.from(mail.split('\r\n\r\n')[0] ?? '') };
      },
      async capturedSource(id) {
        const mail = mails[id];
        return mail === undefined ? undefined : Buffer.from(mail);
      },
    },
  });
  return { ...made, asked };
}
