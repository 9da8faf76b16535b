import { domainOf, type Mailbox } from '../address.ts';
import type { ResolvedBounces } from '../bounce-options.ts';
import type { Clock } from '../clock.ts';
import type { ResolvedDkim } from '../dkim-options.ts';
import { isMailRelayError, MailRelayError } from '../errors.ts';
import type { Content, HeaderField, Json, TemplateData } from '../message.ts';
import { scopeOf } from '../scope.ts';
import type { StoredDelivery } from '../store/port.ts';
import { checkSubject } from '../subject.ts';
import { createBounceAddresses } from '../verp.ts';
import { type CatalogueOptions, createCatalogue, UNTRACKED } from './catalogue.ts';
import { createSigner } from './dkim/signer.ts';
import type { MessageIdOf } from './message-id.ts';
import { type ComposeMime, createComposeMime } from './mime/compose.ts';
import type { MailParts } from './mime/parts.ts';
import type { ComposedMail, Composer, RouteDemands } from './port.ts';
import type { Program, ProgramTracking, RenderFrame } from './program.ts';
import { createRawHtml, type RawParts, withOwnLinks } from './raw.ts';
import { isSmall, mostBytes, standIns } from './size.ts';

/** What the composer works with. */
export interface ComposerOptions extends CatalogueOptions {
  readonly messageIdOf: MessageIdOf;
  readonly maxMessageBytes: number;
  /** Where bounces go to, see `verp.ts`. */
  readonly bounceDomain?: ResolvedBounces;
  readonly dkim: ResolvedDkim;
  readonly clock: Pick<Clock, 'now'>;
}

type Recipient = Pick<StoredDelivery, 'address' | 'name' | 'data' | 'locale'>;

const PLACEHOLDER = { unsubscribeUrl: 'https://example.com/u', viewUrl: 'https://example.com/v' };
const NO_DEMANDS: RouteDemands = { head: '', maxBytes: undefined };
const NO_TOKENS = { clicker: '', pixel: '' };
/** A token with nothing but its number and signature. */
const LONGEST_TOKEN = 'x'.repeat(40);
/** A delivery that has no number yet: the longest that it can get. */
const UNNUMBERED = {
  id: Number.MAX_SAFE_INTEGER,
  messageId: Number.MAX_SAFE_INTEGER,
  acceptedAt: 0,
  sentAt: undefined,
};

/** Template + data -> bytes. Nothing happens before `start()`. */
export function createComposer(options: ComposerOptions): Composer {
  const { tokens, linkBase, messageIdOf, maxMessageBytes } = options;
  const bounceAddressOf = createBounceAddresses(options.bounceDomain);
  const catalogue = createCatalogue(options);
  const raw = createRawHtml({ tokens, linkBase });
  const composeMime = createComposeMime(options.blobs);
  const signer = createSigner(options.dkim, options.clock);

  /** Program of a content's template; undefined where it has none. */
  function programOf(
    content: Content,
    { locale }: { readonly locale?: string | undefined },
    tracking: ProgramTracking,
  ): Promise<Program> | undefined {
    const { template: name, version } = content;
    if (name === undefined || version === undefined) return undefined;
    return catalogue.program({ name, version, locale: locale ?? content.locale, tracking });
  }

  async function partsOf(
    content: Content,
    delivery: StoredDelivery,
    tracking: ProgramTracking,
    unsubscribeUrl: string,
  ): Promise<RawParts & Pick<MailParts, 'crlf'>> {
    const scope = content.version === undefined ? `m:${delivery.messageId}` : `t:${content.version}`;
    const tokensOf = {
      clicker: tracking.clicks ? tokens.clicker(scope, delivery.id) : '',
      pixel: tracking.opens ? tokens.delivery('o', delivery.id) : '',
    };
    const program = await programOf(content, delivery, tracking);
    if (program !== undefined) {
      const viewUrl = program.mentions('viewUrl') ? `${linkBase}/v/${tokens.delivery('v', delivery.id)}` : '';
      const data = dataOf(content, delivery, { unsubscribeUrl, viewUrl });
      const subject = content.subject ?? program.subject(data);
      const frame = { ...tokensOf, subject };
      return {
        subject,
        html: program.html(data, frame),
        text: program.text(data, frame),
        crlf: !hasLineEnds(data),
      };
    }
    // A message to one recipient is composed once, so keeping it parsed would only cost memory.
    const shared = content.individually && delivery.rendered === undefined ? content : undefined;
    const tracked = raw.track(bodiesOf(content, delivery), shared, scope, tracking, tokensOf);
    if (content.stream !== 'broadcast' || delivery.rendered !== undefined) return tracked;
    return withOwnLinks(tracked, {
      unsubscribeUrl: () => unsubscribeUrl,
      viewUrl: () => `${linkBase}/v/${tokens.delivery('v', delivery.id)}`,
    });
  }

  function unsubscribeUrlOf(content: Content, delivery: StoredDelivery): string {
    const locale = delivery.locale ?? content.locale;
    return `${linkBase}/u/${tokens.unsubscribe({ deliveryId: delivery.id, address: delivery.address, scope: scopeOf(content), locale })}`;
  }

  function untracked(program: Program, content: Content, delivery: StoredDelivery): RawParts {
    const viewUrl = `${linkBase}/v/${LONGEST_TOKEN}`;
    const scope = `${scopeOf(content)}${delivery.address}${delivery.locale ?? content.locale}`;
    const unsubscribeUrl = `${linkBase}/u/${LONGEST_TOKEN}${'x'.repeat(2 * Buffer.byteLength(scope))}`;
    const data = dataOf(content, delivery, { unsubscribeUrl, viewUrl });
    const subject = content.subject ?? program.subject(data);
    const frame: RenderFrame = { ...NO_TOKENS, subject };
    return { subject, html: program.html(data, frame), text: program.text(data, frame) };
  }

  /** The largest mail that the host and the route allow. */
  function mostOf({ maxBytes = maxMessageBytes }: RouteDemands): number {
    return Math.min(maxBytes, maxMessageBytes);
  }

  /** Each attempt is signed anew. @throws MailRelayError `MESSAGE_TOO_LARGE`, `DKIM_KEY_MISSING` */
  async function write(
    content: Content,
    delivery: StoredDelivery,
    compose: ComposeMime,
    demands: RouteDemands,
  ): Promise<ComposedMail> {
    const unsubscribeUrl = unsubscribeUrlOf(content, delivery);
    const fromDomain = domainOf(content.from.address);
    const tracking = trackingOf(content, delivery);
    const { linkMark: mark } = demands;
    const marks = mark !== undefined && tracking.clicks && !signer.signs(fromDomain);
    const parts = await partsOf(content, delivery, marks ? { ...tracking, mark } : tracking, unsubscribeUrl);
    const to = content.individually ? [{ address: delivery.address, name: delivery.name }] : content.to;
    const messageId = messageIdOf({ content, messageId: delivery.messageId, deliveryId: delivery.id });
    const { headers, content: shown } = listHeaders(content, unsubscribeUrl);
    const date = content.date ?? delivery.acceptedAt;
    // Who gets a mail sees its boundary, so that no two deliveries may share one. The end of the address is a signature of the
    // delivery; the other way round, so that a body with the address does not hold the boundary.
    const boundary = [...unsubscribeUrl.slice(-16)].reverse().join('');
    const { eightBit, ...written } = await compose({
      content: shown,
      to,
      ...parts,
      messageId,
      date,
      boundary,
      headers,
      routeHead: demands.head,
    });
    const raw = await signer.sign(written.raw, fromDomain, demands.rewritten);
    const bytes = raw.length;
    const most = mostOf(demands);
    if (bytes > most) {
      const reason = `it has ${bytes} bytes, allowed are ${most}`;
      throw new MailRelayError('MESSAGE_TOO_LARGE', { bytes, reason });
    }
    return {
      raw,
      eightBit,
      subject: parts.subject,
      messageId,
      envelopeFrom:
        content.envelopeFrom ?? bounceAddressOf(fromDomain)?.(tokens.bounce(delivery.id)) ?? content.from.address,
      utf8: hasUtf8(content, to, delivery.address),
    };
  }

  return {
    start: catalogue.start,
    templates: catalogue.names,
    version: catalogue.version,
    async render(name, data, { locale }) {
      const version = catalogue.version(name);
      const program = await catalogue.program({ name, version, locale, tracking: UNTRACKED });
      const all = { recipient: { email: '', name: '' }, ...PLACEHOLDER, ...data } as TemplateData;
      const subject = program.subject(all);
      const frame = { ...NO_TOKENS, subject };
      return {
        subject,
        preheader: await catalogue.preheader({ name, version, locale }),
        html: withLf(program.html(all, frame)),
        text: withLf(program.text(all, frame)),
      };
    },
    async check(content, recipient, demands = NO_DEMANDS) {
      const domain = domainOf(content.from.address);
      signer.check(domain);
      const room = mostOf(demands) - demands.head.length - signer.mostBytes(domain, content.headers.length);
      const delivery = { ...recipient, ...UNNUMBERED };
      const program = await programOf(content, recipient, UNTRACKED);
      const parts = program === undefined ? bodiesOf(content, recipient) : untracked(program, content, delivery);
      checkSubject(parts.subject);
      if (isSmall(content, parts, room) || mostBytes(content, parts, linkBase) <= room) return;
      await write(content, delivery, createComposeMime(standIns(content)), demands);
    },
    compose: (content, delivery, demands = NO_DEMANDS) => write(content, delivery, composeMime, demands),
    async subject(content, delivery) {
      const { template: name, version } = content;
      const given = content.subject ?? delivery?.rendered?.subject;
      if (given !== undefined || name === undefined || version === undefined) return given;
      try {
        if (delivery === undefined) return await catalogue.subject({ name, version, locale: content.locale });
        return (await programOf(content, delivery, UNTRACKED))?.subject(dataOf(content, delivery, PLACEHOLDER));
      } catch (error) {
        if (!isMailRelayError(error)) throw error;
        return undefined;
      }
    },
    async view(content, delivery) {
      const tracking = { ...trackingOf(content, delivery), opens: false };
      return (await partsOf(content, delivery, tracking, unsubscribeUrlOf(content, delivery))).html;
    },
    async linkForm(content, delivery, { number, url }) {
      const program = await programOf(content, delivery, trackingOf(content, delivery));
      const form = program?.links[number];
      if (program === undefined || form === undefined || !form.includes('{{')) return undefined;
      // A loop over data that all recipients share gives all of them the same targets.
      const shared = content.individually && content.data !== undefined && program.targets(content.data).has(url);
      return shared ? undefined : form;
    },
    async close() {
      catalogue.close();
      await signer.close();
    },
  };
}

/** Subject and bodies of mail without a template. */
function bodiesOf(content: Content, { rendered }: Pick<StoredDelivery, 'rendered'>): RawParts {
  const { subject = '', html, text }: Pick<Content, 'subject' | 'html' | 'text'> = { ...content, ...rendered };
  return { subject, html, text };
}

/** Data may come from anybody, so the relay's own names win over them: an unsubscribe link always is one. */
function dataOf(content: Content, delivery: Omit<Recipient, 'locale'>, urls: object): TemplateData {
  return {
    ...content.data,
    ...delivery.data,
    recipient: { email: delivery.address, name: delivery.name ?? '' },
    ...urls,
  } as TemplateData;
}

function trackingOf(content: Content, delivery: Pick<StoredDelivery, 'tracking'>): ProgramTracking {
  const { opens, clicks, utm } = content.tracking;
  return {
    opens: delivery.tracking?.opens ?? opens,
    clicks: delivery.tracking?.clicks ?? clicks,
    utm,
  };
}

/** Whether an address that the envelope or the header has needs SMTPUTF8 (RFC 6531). */
function hasUtf8(content: Content, to: readonly Mailbox[], recipient: string): boolean {
  const { from, sender, cc, replyTo, envelopeFrom } = content;
  const addresses = [from, ...to, ...cc, ...replyTo, ...(sender === undefined ? [] : [sender])].map(
    ({ address }) => address,
  );
  return /[^\x20-\x7e]/.test([recipient, envelopeFrom, ...addresses].join(''));
}

/** Whether a value of a template holds line ends, of which nobody knows the kind. */
function hasLineEnds(value: Json | undefined): boolean {
  if (typeof value === 'string') return value.includes('\n') || value.includes('\r');
  if (typeof value !== 'object' || value === null) return false;
  for (const key in value) if (hasLineEnds((value as TemplateData)[key])) return true;
  return false;
}

function withLf(body: string): string {
  return body.replaceAll('\r\n', '\n');
}

/** Contents without their own List-Unsubscribe, so that each is made once. */
const withoutList = new WeakMap<Content, Content>();

/** Broadcast mail always says how to leave with one click (RFC 8058); what the host says of it stays beside it. */
function listHeaders(
  content: Content,
  url: string,
): { readonly headers: readonly HeaderField[]; readonly content: Content } {
  if (content.stream !== 'broadcast') return { headers: [], content };
  const own = content.headers.filter(([name]) => name.toLowerCase() === 'list-unsubscribe').map(([, value]) => value);
  const headers: HeaderField[] = [
    ['List-Unsubscribe', [`<${url}>`, ...own].join(', ')],
    ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'],
  ];
  if (own.length === 0) return { headers, content };
  const rest = content.headers.filter(([name]) => name.toLowerCase() !== 'list-unsubscribe');
  const shown = withoutList.get(content) ?? { ...content, headers: rest };
  withoutList.set(content, shown);
  return { headers, content: shown };
}
