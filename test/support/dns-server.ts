import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

const KINDS: Readonly<Record<number, string>> = { 1: 'A', 12: 'PTR', 15: 'MX', 16: 'TXT', 28: 'AAAA' };
const SERVFAIL = 2;
const NXDOMAIN = 3;

/** Answers for one question: data of records, or a failure; nothing for a name that is not there. */
export type DnsAnswers = Readonly<Record<string, readonly Buffer[] | 'SERVFAIL'>>;

/** A DNS server on loopback until the test ends; questions are such as `TXT example.com`. Answers where it listens. */
export async function dnsServer(answers: DnsAnswers): Promise<string> {
  const names = new Set(Object.keys(answers).map((question) => question.split(' ')[1]));
  const socket = createSocket('udp4');
  socket.on('message', (query, peer) => {
    const { name, kind, end } = questionOf(query);
    const found = answers[`${KINDS[kind]} ${name}`];
    const records = Array.isArray(found) ? found : [];
    const code = found === 'SERVFAIL' ? SERVFAIL : names.has(name) ? 0 : NXDOMAIN;
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8580 | code, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(records.length, 6);
    const data = records.flatMap((record: Buffer) => {
      const fixed = Buffer.alloc(12);
      fixed.writeUInt16BE(0xc00c, 0);
      fixed.writeUInt16BE(kind, 2);
      fixed.writeUInt16BE(1, 4);
      fixed.writeUInt16BE(record.length, 10);
      return [fixed, record];
    });
    socket.send(Buffer.concat([head, query.subarray(12, end), ...data]), peer.port, peer.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return `127.0.0.1:${socket.address().port}`;
}

/** Strings of a TXT record. */
export function txt(...strings: readonly string[]): Buffer {
  return Buffer.concat(strings.map((text) => Buffer.from([text.length, ...Buffer.from(text)])));
}

/** An MX record; the name `.` is a null MX. */
export function mx(priority: number, exchange: string): Buffer {
  const labels = exchange.split('.').filter(Boolean);
  return Buffer.concat([
    Buffer.from([priority >> 8, priority & 255]),
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}

function questionOf(query: Buffer): { readonly name: string; readonly kind: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), kind: query.readUInt16BE(at + 1), end: at + 5 };
}
