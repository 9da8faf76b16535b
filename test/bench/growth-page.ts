/** The tables of docs/performance.md that the benchmark writes. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import type { MailSize } from './mails.ts';
import type { Entry } from './profile.ts';
import type { CampaignRun } from './relay.child.ts';

/** A campaign of ours. */
export interface Cell {
  readonly mail: MailSize;
  readonly deliveries: number;
  readonly run: CampaignRun;
}

/** A peer with mails of one size; a text says why it was not measured. */
export interface PeerCell {
  readonly mail: MailSize;
  /** Of one mail on the wire. */
  readonly bytes: number;
  readonly peer: string;
  readonly messages: number;
  readonly run: { readonly seconds: number; readonly cpuSeconds: number; readonly memoryPeak: number } | string;
}

const ROOT = join(import.meta.dirname, '../..');
const PAGE = 'docs/performance.md';
const MARKERS = /(<!-- benchmark: begin -->\n).*?(<!-- benchmark: end -->)/s;
const NONE = '–';

/** Puts the tables between the markers of the page, as the formatter writes them. */
export function writeTables(tables: string): void {
  const file = join(ROOT, PAGE);
  const page = readFileSync(file, 'utf8');
  if (!MARKERS.test(page)) throw new Error(`${PAGE} has no markers`);
  writeFileSync(
    file,
    page.replace(MARKERS, (_, begin: string, end: string) => `${begin}\n${tables}\n${end}`),
  );
  execFileSync(join(ROOT, 'node_modules/.bin/biome'), ['format', '--write', PAGE], { cwd: ROOT, stdio: 'ignore' });
}

/** Markdown of what was measured. */
export function performanceTables(measured: {
  readonly cells: readonly Cell[];
  readonly peers: readonly PeerCell[];
  readonly engine: readonly Entry[];
}): string {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, Node ${process.versions.node}`;
  const load = (loadavg()[0] ?? 0).toFixed(1);
  return [
    `Measured on ${new Date().toISOString().slice(0, 10)}: ${machine}, load average ${load} at the end.`,
    `Mails are called by their size; on the wire ${sizes(measured.peers)}.`,
    'Mail Relay, a campaign from `sendMany()` until the last mail is sent:',
    table(
      [
        'Mail',
        'Deliveries',
        'Messages/s',
        'CPU s per 1,000',
        'Peak memory MB',
        'Database bytes per delivery',
        'Measured with',
      ],
      measured.cells.map(cellRow),
    ),
    'Beside it, in the same run:',
    table(
      ['Mail', 'Peer', 'Messages/s', 'CPU s per 1,000', 'Peak memory MB', 'Measured with'],
      measured.peers.map(peerRow),
    ),
    "The functions in which the engine's thread spends most of its time in a campaign of 10 KB mails:",
    table(
      ['Function', 'Share of the thread'],
      measured.engine.slice(0, 12).map(({ where, percent }) => [`\`${where}\``, `${percent.toFixed(1)} %`]),
    ),
  ].join('\n\n');
}

function sizes(peers: readonly PeerCell[]): string {
  const byMail = new Map(peers.map(({ mail, bytes }) => [mail, `${mail} is ${(bytes / 1024).toFixed(1)} KB`]));
  return [...byMail.values()].join(', ');
}

function cellRow({ mail, deliveries, run }: Cell): string[] {
  const head = [mail, count(deliveries)];
  const complete = run.sent === deliveries;
  return [
    ...head,
    count(run.sent / run.seconds),
    ((run.cpuSeconds / run.sent) * 1000).toFixed(2),
    count(run.rssPeak / (1 << 20)),
    complete ? count(run.bytesPerDelivery) : NONE,
    complete ? 'all' : `the first ${count(run.sent)} (${count(run.seconds)} s)`,
  ];
}

function peerRow({ mail, peer, messages, run }: PeerCell): string[] {
  if (typeof run === 'string') return [mail, peer, NONE, NONE, NONE, `not run: ${run}`];
  return [
    mail,
    peer,
    count(messages / run.seconds),
    ((run.cpuSeconds / messages) * 1000).toFixed(2),
    count(run.memoryPeak / (1 << 20)),
    `${count(messages)} messages`,
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
