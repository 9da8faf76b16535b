/** Questions and answers of DNS as they are on the wire (RFC 1035 section 4). */

/** Records of one name. */
export interface Records {
  readonly MX?: readonly (readonly [preference: number, host: string])[];
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  readonly TXT?: readonly string[];
  readonly CNAME?: string;
}

/** What the server does about a name: its records, an error, or silence. Names that are not there do not exist. */
export type Zone = Record<string, Records | 'SERVFAIL' | 'silence'>;

const TYPES = { A: 1, CNAME: 5, MX: 15, TXT: 16, AAAA: 28 } as const;
type Type = keyof typeof TYPES;
/** The answer to a question; undefined for silence. @param find - what is known of a name */
export function answer(
  query: Buffer,
  find: (name: string) => Zone[string] | undefined,
  note: (question: string) => void = () => {},
): Buffer | undefined {
  const { name, type, end } = readQuestion(query);
  note(`${type} ${name}`);
  const known = find(name);
  if (known === 'silence') return undefined;
  if (known === 'SERVFAIL') return reply(query, end, 2, []);
  if (known === undefined) return reply(query, end, 3, []);
  const records: Buffer[] = [];
  let at = name;
  for (let data = known as Records | undefined; data !== undefined; ) {
    const { CNAME } = data;
    if (CNAME === undefined) {
      records.push(...dataOf(data, type).map((bytes) => record(at, type, bytes)));
      break;
    }
    records.push(record(at, 'CNAME', encodeName(CNAME)));
    at = CNAME;
    const next = find(at);
    data = typeof next === 'object' ? next : undefined;
  }
  return reply(query, end, 0, records);
}

function readQuestion(query: Buffer): { name: string; type: Type | undefined; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  const code = query.readUInt16BE(at + 1);
  const type = (Object.keys(TYPES) as Type[]).find((one) => TYPES[one] === code);
  return { name: labels.join('.').toLowerCase(), type, end: at + 5 };
}

function dataOf(records: Records, type: Type | undefined): Buffer[] {
  switch (type) {
    case 'MX':
      return (records.MX ?? []).map(([preference, host]) => Buffer.concat([u16(preference), encodeName(host)]));
    case 'A':
      return (records.A ?? []).map((address) => Buffer.from(address.split('.').map(Number)));
    case 'AAAA':
      return (records.AAAA ?? []).map(encodeSix);
    case 'TXT':
      return (records.TXT ?? []).map((text) => {
        const parts = text.match(/.{1,255}/gs) ?? [''];
        return Buffer.concat(parts.map((part) => Buffer.concat([Buffer.of(part.length), Buffer.from(part)])));
      });
    default:
      return [];
  }
}

/** Only what tests write: at most one `::`, no IPv4 at the end. */
function encodeSix(address: string): Buffer {
  const [left = [], right = []] = address.split('::').map((side) => side.split(':').filter((group) => group !== ''));
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return Buffer.concat(groups.map((group) => u16(Number.parseInt(group, 16))));
}

function record(name: string, type: Type | undefined, data: Buffer): Buffer {
  const ttl = Buffer.alloc(4);
  ttl.writeUInt32BE(60);
  return Buffer.concat([encodeName(name), u16(TYPES[type ?? 'A']), u16(1), ttl, u16(data.length), data]);
}

function reply(query: Buffer, end: number, code: number, records: readonly Buffer[]): Buffer {
  const head = Buffer.concat([query.subarray(0, 2), u16(0x8180 | code), u16(1), u16(records.length), u16(0), u16(0)]);
  return Buffer.concat([head, query.subarray(12, end), ...records]);
}

/** An answer cut to its question, so that it is asked for again over TCP. */
export function truncated(whole: Buffer): Buffer {
  const { end } = readQuestion(whole);
  const cut = Buffer.from(whole.subarray(0, end));
  cut.writeUInt16BE(whole.readUInt16BE(2) | 0x0200, 2);
  cut.writeUInt16BE(0, 6);
  return cut;
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
    Buffer.of(0),
  ]);
}

/** A number of two bytes. */
export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
