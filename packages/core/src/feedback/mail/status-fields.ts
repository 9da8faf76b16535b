/** Fields of a delivery status report: RFC 3464, with the addresses of RFC 6533. */
import { decodeWords } from './decode.ts';
import { first, type Headers, readHeaders } from './mime.ts';

/** What a report says about one recipient. */
export interface RecipientStatus {
  readonly recipient: string | undefined;
  readonly originalRecipient: string | undefined;
  readonly action: string | undefined;
  readonly status: string | undefined;
  readonly diagnostic: string | undefined;
  readonly remoteMta: string | undefined;
  readonly raw: string;
}

/** A whole report. */
export interface StatusReport {
  readonly reportingMta: string | undefined;
  readonly recipients: readonly RecipientStatus[];
}

/** Recipients of one report that are read. */
const MAX_RECIPIENTS = 1000;

/** Reads the fields. Groups stand between empty lines; some servers leave these out, or put them everywhere. */
export function readStatus(text: string): StatusReport {
  const groups = text
    .replace(/\r/g, '')
    // A group also begins with a recipient that follows another's fields.
    .replace(/\n(?=(?:final|original)-recipient[ \t]*:)/gi, '\n\n')
    .split(/\n[ \t]*\n+/)
    .slice(0, 4 * MAX_RECIPIENTS)
    .map((raw) => ({ raw: raw.trim(), fields: readHeaders(raw.trim()) }));
  const merged: { raw: string; fields: Headers }[] = [];
  for (const group of groups) {
    const last = merged.at(-1);
    const names = ['final-recipient', 'original-recipient'] as const;
    // Original-Recipient, Final-Recipient and what follows belong together, as long as none comes twice.
    const isSame =
      last !== undefined &&
      !isMessage(last.fields) &&
      !names.some((name) => last.fields.has(name) && group.fields.has(name)) &&
      !(last.fields.has('status') && group.fields.has('status'));
    if (isSame && group.fields.size > 0)
      merged[merged.length - 1] = {
        raw: `${last.raw}\n${group.raw}`,
        fields: new Map([...last.fields, ...group.fields]),
      };
    else if (group.fields.size > 0) merged.push(group);
  }
  const named = (name: string) => merged.map(({ fields }) => first(fields, name)).find((value) => value !== undefined);
  const reporting = named('reporting-mta') ?? named('dsn-gateway') ?? named('received-from-mta');
  return {
    reportingMta: reporting && typed(reporting),
    recipients: merged
      .filter(({ fields }) =>
        ['final-recipient', 'original-recipient', 'action', 'status', 'diagnostic-code'].some((name) =>
          fields.has(name),
        ),
      )
      .slice(0, MAX_RECIPIENTS)
      .map(({ raw, fields }) => recipientOf(fields, raw)),
  };
}

function isMessage(fields: Headers): boolean {
  const own = ['final-recipient', 'original-recipient', 'action', 'status'].some((name) => fields.has(name));
  return (
    !own &&
    ['reporting-mta', 'arrival-date', 'dsn-gateway', 'received-from-mta', 'original-envelope-id'].some((name) =>
      fields.has(name),
    )
  );
}

function recipientOf(fields: Headers, raw: string): RecipientStatus {
  const final = first(fields, 'final-recipient') ?? first(fields, 'x-actual-recipient');
  const original = first(fields, 'original-recipient');
  const diagnostic = fields
    .get('diagnostic-code')
    ?.map((code) => decodeWords(typed(code)))
    .join(' ');
  const remote = first(fields, 'remote-mta');
  return {
    recipient: final === undefined ? undefined : readAddress(final),
    originalRecipient: original === undefined ? undefined : readAddress(original),
    action: first(fields, 'action')
      ?.toLowerCase()
      .match(/[a-z-]+/)?.[0],
    status: /([245]\.\d{1,3}\.\d{1,3})/.exec(first(fields, 'status') ?? '')?.[1],
    diagnostic: diagnostic === '' ? undefined : diagnostic,
    remoteMta: remote && typed(remote),
    raw,
  };
}

/** `dns; mx.example.com` without its type. */
function typed(value: string): string {
  return value.replace(/^\s*[\w-]{1,40}\s*;\s*/, '').trim();
}

/**
 * An address with its type: `rfc822; ada@example.com`, `utf-8; j\x{F6}rg@example.com` (RFC 6533 section 3), xtext (RFC 3461
 * section 4), with brackets, comments and names as servers write them.
 */
export function readAddress(value: string): string | undefined {
  const type = /^\s*([\w-]+)\s*;/.exec(value)?.[1]?.toLowerCase();
  let text = decodeWords(typed(value));
  if (type === 'utf-8' || type === 'unitext') text = text.replace(/\\x\{([0-9a-f]{1,6})\}/gi, character);
  else if (!/\+[0-9a-z]{14,}@/.test(text))
    text = text.replace(/\+([0-9A-F]{2})/g, (whole, hex: string) => (isXtext(hex) ? character(whole, hex) : whole));
  text = text.replace(/^mailto:/i, '');
  const found = /<([^<>\s]+@[^<>\s]+)>/.exec(text)?.[1] ?? /([^\s<>()"',;:[\]]+@[^\s<>()"',;:]+)/.exec(text)?.[1];
  const address = (found ?? text).replace(/[.,;:]+$/, '').trim();
  return address.includes('@') && address.length <= 320 ? address : undefined;
}

/** `+3D` is an equals sign in xtext; `ada+20` is somebody's address as well, so only what xtext must escape. */
function isXtext(hex: string): boolean {
  return hex === '2B' || hex === '3D';
}

function character(whole: string, hex: string): string {
  const code = Number.parseInt(hex, 16);
  return code > 0 && code < 0x110000 && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : whole;
}
