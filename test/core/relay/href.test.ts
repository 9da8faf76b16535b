import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { simpleParser } from 'mailparser';
import { expect, it, onTestFinished } from 'vitest';
import { localhostCertificate } from '../../support/certificate.ts';
import { capturedMails, relayWith } from '../../support/relay.ts';

const mail = { to: 'ada@example.com', subject: 'Hi', text: 'Hello' } as const;
const PDF = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7) % 256));

/** A real server with TLS that this process trusts; answers its host. */
async function httpsServer(answer: RequestListener): Promise<string> {
  const certificate = localhostCertificate();
  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, certificate.cert]);
  const server = createServer(certificate, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    setDefaultCACertificates(trusted);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('an attachment is fetched from a host that is allowed, and has its name from there', async () => {
  const host = await httpsServer((_, response) => response.end(PDF));
  const relay = relayWith({ thread: false, attachments: { hosts: [host] } });
  await relay.send({ ...mail, attachments: [{ href: `https://${host}/files/p%20q.pdf?v=1` }] });
  const { attachments } = await simpleParser((await capturedMails(relay, 1))[0] ?? '');
  expect(attachments).toMatchObject([{ filename: 'p q.pdf', contentType: 'application/pdf' }]);
  expect(attachments[0]?.content.equals(PDF)).toBe(true);
});

it('an attachment is refused where its host answers with something else, or with too much', async () => {
  const host = await httpsServer((request, response) => {
    if (request.url === '/moved') response.writeHead(302, { Location: `https://${request.headers.host}/p.pdf` });
    if (request.url === '/gone') response.writeHead(404);
    response.end(request.url === '/large' ? Buffer.alloc(200_000) : PDF);
  });
  const relay = relayWith({ thread: false, attachments: { hosts: [host] }, limits: { maxMessageBytes: 100_000 } });
  for (const [path, code] of [
    ['/moved', 'ATTACHMENT_INVALID'],
    ['/gone', 'ATTACHMENT_INVALID'],
    ['/large', 'MESSAGE_TOO_LARGE'],
  ])
    await expect(relay.send({ ...mail, attachments: [{ href: `https://${host}${path}` }] })).rejects.toMatchObject({
      code,
    });
  expect((await relay.messages.list()).items).toEqual([]);
});
