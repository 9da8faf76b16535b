import { watch as watchFolder } from 'node:fs';
import { MailRelayError, messageOf } from '../errors.ts';
import type { Content, HeaderField, TemplateData } from '../message.ts';
import type { BlobStore, StoredDelivery } from '../store/port.ts';
import type { HostApi } from '../thread/port.ts';
import type { Tokens } from '../token.ts';
import { type Bundle, type CompiledLocale, compileTemplates, readBundle } from './bundle.ts';
import { messageIdOf } from './message-id.ts';
import { composeMime } from './mime.ts';
import type { Composer, DeclaredTemplate } from './port.ts';
import { createProgram, type Program, type ProgramTracking } from './program.ts';
import { createRawHtml } from './raw.ts';
import { declaredSource, readFolder } from './sources.ts';

/** What the composer works with. */
export interface ComposerOptions {
  readonly folder: string | undefined;
  readonly declared: readonly DeclaredTemplate[];
  readonly tokens: Tokens;
  readonly linkBase: string;
  readonly maxMessageBytes: number;
  readonly blobs: Pick<BlobStore, 'get' | 'put'>;
  readonly watch: boolean;
  readonly log: HostApi['log'];
}

const CACHED_PROGRAMS = 500;
const DEBOUNCE_MS = 100;
const OFF: ProgramTracking = { opens: false, clicks: false, utm: undefined };
const PLACEHOLDER = { unsubscribeUrl: 'https://example.com/u', viewUrl: 'https://example.com/v' };

interface Parts {
  readonly subject: string;
  readonly html: string | undefined;
  readonly text: string | undefined;
}

/** Template + data -> bytes. Nothing happens before `start()`. */
export function createComposer(options: ComposerOptions): Composer {
  const { tokens, linkBase, blobs } = options;
  const versions = new Map<string, string>();
  const bundles = new Map<string, Bundle>();
  const programs = new Map<string, Program>();
  const raw = createRawHtml({ tokens, linkBase });
  let watcher: { close(): void } | undefined;

  async function load(): Promise<void> {
    const sources = [
      ...(options.folder === undefined ? [] : readFolder(options.folder)),
      ...options.declared.map(declaredSource),
    ];
    const compiled = await compileTemplates(sources, blobs);
    for (const [hash, bundle] of compiled) {
      for (const locale of Object.values(bundle.locales)) createProgram(locale, hash, OFF, options);
      bundles.set(hash, bundle);
    }
    versions.clear();
    for (const { name, hash } of sources) versions.set(name, hash);
  }

  function startWatching(folder: string): void {
    let timer: NodeJS.Timeout | undefined;
    watcher = watchFolder(folder, { recursive: true, persistent: false }, () => {
      clearTimeout(timer);
      timer = setTimeout(
        () =>
          load().catch((error: unknown) =>
            options.log('error', { error: messageOf(error) }, 'a template does not compile; the one before stays'),
          ),
        DEBOUNCE_MS,
      );
      timer.unref();
    });
  }

  function version(name: string): string {
    const found = versions.get(name);
    if (found !== undefined) return found;
    const known = [...versions.keys()];
    throw new MailRelayError('TEMPLATE_NOT_FOUND', {
      template: name,
      known,
      reason: `${name}; known are ${known.join(', ') || 'none'}`,
    });
  }

  async function bundleOf(name: string, hash: string): Promise<Bundle> {
    const bundle = bundles.get(hash) ?? (await readBundle(hash, blobs));
    if (bundle === undefined)
      throw new MailRelayError('TEMPLATE_NOT_FOUND', {
        template: name,
        reason: `the version of ${name} that was accepted is gone`,
      });
    bundles.set(hash, bundle);
    return bundle;
  }

  function programOf(bundle: Bundle, hash: string, wanted: string | undefined, tracking: ProgramTracking): Program {
    const locale = wanted ?? '';
    const tried = [locale, locale.split('-')[0] ?? '', '', 'en', ...Object.keys(bundle.locales)];
    const chosen = tried.find((one) => bundle.locales[one] !== undefined) ?? '';
    const key = JSON.stringify([hash, chosen, tracking.opens, tracking.clicks, tracking.utm]);
    let program = programs.get(key);
    if (program === undefined) {
      program = createProgram(bundle.locales[chosen] as CompiledLocale, `t:${hash}`, tracking, options);
      if (programs.size >= CACHED_PROGRAMS) programs.clear();
      programs.set(key, program);
    }
    return program;
  }

  async function partsOf(
    content: Content,
    delivery: StoredDelivery,
    tracking: ProgramTracking,
    urls: { unsubscribeUrl: string; viewUrl: string },
  ): Promise<Parts> {
    const scope = content.version === undefined ? `m:${delivery.messageId}` : `t:${content.version}`;
    const frame = {
      clicker: tracking.clicks ? tokens.clicker(scope, delivery.id) : '',
      pixel: tracking.opens ? tokens.delivery('o', delivery.id) : '',
    };
    if (content.template !== undefined && content.version !== undefined) {
      const program = programOf(
        await bundleOf(content.template, content.version),
        content.version,
        delivery.locale ?? content.locale,
        tracking,
      );
      const data = dataOf(content, delivery, urls);
      return {
        subject: content.subject ?? program.subject(data),
        html: program.html(data, frame),
        text: program.text(data, frame),
      };
    }
    const given: Pick<Content, 'subject' | 'html' | 'text'> = { ...content, ...delivery.rendered };
    return raw.track(
      { subject: given.subject ?? '', html: given.html, text: given.text },
      content,
      scope,
      tracking,
      frame,
    );
  }

  function dataOf(
    content: Content,
    delivery: Pick<StoredDelivery, 'data' | 'address' | 'name'>,
    urls: object,
  ): TemplateData {
    return {
      recipient: { email: delivery.address, name: delivery.name ?? '' },
      ...urls,
      ...content.data,
      ...delivery.data,
    } as TemplateData;
  }

  function trackingOf(content: Content, delivery: StoredDelivery): ProgramTracking {
    const { opens, clicks, utm } = content.tracking;
    return {
      opens: opens && delivery.tracking?.opens !== false,
      clicks: clicks && delivery.tracking?.clicks !== false,
      utm,
    };
  }

  function urlsOf(content: Content, delivery: StoredDelivery): { unsubscribeUrl: string; viewUrl: string } {
    const scope = content.topic === undefined ? content.stream : `topic:${content.topic}`;
    const token = tokens.unsubscribe({
      deliveryId: delivery.id,
      address: delivery.address,
      scope,
      locale: delivery.locale ?? content.locale,
    });
    return { unsubscribeUrl: `${linkBase}/u/${token}`, viewUrl: `${linkBase}/v/${tokens.delivery('v', delivery.id)}` };
  }

  return {
    async start() {
      await load();
      if (options.watch && options.folder !== undefined) startWatching(options.folder);
    },
    templates: () =>
      [...versions].map(([name, hash]) => ({
        name,
        version: hash,
        locales: Object.keys(bundles.get(hash)?.locales ?? {}),
      })),
    version,
    async render(name, data, { locale }) {
      const hash = version(name);
      const bundle = await bundleOf(name, hash);
      const program = programOf(bundle, hash, locale, OFF);
      const all = { recipient: { email: '', name: '' }, ...PLACEHOLDER, ...data } as TemplateData;
      const frame = { clicker: '', pixel: '' };
      return {
        subject: program.subject(all),
        preheader: bundle.locales[locale ?? '']?.preheader,
        html: program.html(all, frame),
        text: program.text(all, frame),
      };
    },
    async check(content, recipient) {
      if (content.template === undefined || content.version === undefined) return;
      const program = programOf(
        await bundleOf(content.template, content.version),
        content.version,
        recipient.locale ?? content.locale,
        OFF,
      );
      const data = dataOf(content, { data: recipient.data, address: '', name: undefined }, PLACEHOLDER);
      const frame = { clicker: '', pixel: '' };
      if (content.subject === undefined) program.subject(data);
      const size = program.html(data, frame).length + program.text(data, frame).length;
      if (size > options.maxMessageBytes)
        throw new MailRelayError('MESSAGE_TOO_LARGE', { reason: `it has ${size} characters` });
    },
    async compose(content, delivery) {
      const urls = urlsOf(content, delivery);
      const parts = await partsOf(content, delivery, trackingOf(content, delivery), urls);
      const to = content.individually ? [{ address: delivery.address, name: delivery.name }] : content.to;
      const messageId = messageIdOf({ content, messageId: delivery.messageId, deliveryId: delivery.id, tokens });
      const { list, content: shown } = listHeaders(content, urls.unsubscribeUrl);
      const mail = await composeMime(
        { content: shown, to, ...parts, messageId, date: content.date ?? delivery.acceptedAt, headers: list },
        blobs,
      );
      if (mail.length > options.maxMessageBytes)
        throw new MailRelayError('MESSAGE_TOO_LARGE', { reason: `it has ${mail.length} bytes` });
      const utf8 = [content.from, ...to, ...content.cc].some(({ address }) => /[^\x20-\x7e]/.test(address));
      return {
        raw: mail,
        subject: parts.subject,
        messageId,
        envelopeFrom: content.envelopeFrom ?? content.from.address,
        utf8,
        eightBit: false,
      };
    },
    async view(content, delivery) {
      const tracking = { ...trackingOf(content, delivery), opens: false };
      return (await partsOf(content, delivery, tracking, urlsOf(content, delivery))).html;
    },
    async close() {
      watcher?.close();
    },
  };
}

/** Broadcast mail always says how to leave with one click (RFC 8058); what the host says of it stays beside it. */
function listHeaders(
  content: Content,
  url: string,
): { readonly list: readonly HeaderField[]; readonly content: Content } {
  if (content.stream !== 'broadcast') return { list: [], content };
  const own = content.headers.filter(([name]) => name.toLowerCase() === 'list-unsubscribe').map(([, value]) => value);
  const headers = content.headers.filter(([name]) => name.toLowerCase() !== 'list-unsubscribe');
  const list: HeaderField[] = [
    ['List-Unsubscribe', [`<${url}>`, ...own].join(', ')],
    ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'],
  ];
  return { list, content: own.length === 0 ? content : { ...content, headers } };
}
