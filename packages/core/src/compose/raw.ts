import { randomUUID } from 'node:crypto';
import type { Content } from '../message.ts';
import type { Tokens } from '../token.ts';
import { ADDRESS, clickLink, decodeAttribute, encodeAttribute, isTrackable, rewriteHtml, withUtm } from './links.ts';
import { type ProgramTracking, pixelTag, type RenderFrame } from './program.ts';
import { splitAddress } from './text-address.ts';

/** Subject and bodies of one mail. */
export interface RawParts {
  readonly subject: string;
  readonly html: string | undefined;
  readonly text: string | undefined;
}

const OWN_LINKS = /(?<!\{)\{\{(unsubscribeUrl|viewUrl)\}\}(?!\})/g;

/** Puts the two addresses that only the relay knows where the host has written `{{unsubscribeUrl}}` and `{{viewUrl}}`. */
export function withOwnLinks(
  parts: RawParts,
  urls: Readonly<Record<'unsubscribeUrl' | 'viewUrl', () => string>>,
): RawParts {
  const put = (body: string | undefined, write: (url: string) => string): string | undefined =>
    body?.replace(OWN_LINKS, (_, name: 'unsubscribeUrl' | 'viewUrl') => write(urls[name]()));
  return { ...parts, html: put(parts.html, encodeAttribute), text: put(parts.text, (url) => url) };
}

type Bodies = Pick<RawParts, 'html' | 'text'>;

/** Tracks mail that comes without a template. */
export interface RawHtml {
  /**
   * @param shared - the content that the bodies belong to, where all recipients have them alike: parsed once
   * @param scope - what the links are bound to
   */
  track(
    parts: RawParts,
    shared: Content | undefined,
    scope: string,
    tracking: ProgramTracking,
    frame: Omit<RenderFrame, 'subject'>,
  ): RawParts;
}

/** Other than in a template, links are bound to their message, so each message is parsed once. */
export function createRawHtml({ tokens, linkBase }: { readonly tokens: Tokens; readonly linkBase: string }): RawHtml {
  // Stand where the tokens of the delivery go; nobody else can write them.
  const clicker = `clicker-${randomUUID()}`;
  const pixel = `pixel-${randomUUID()}`;
  const prepared = new WeakMap<Content, Map<string, Bodies>>();

  function prepare({ html, text }: Bodies, scope: string, tracking: ProgramTracking): Bodies {
    const numbers = new Map<string, number>();
    const link = (url: string): string => {
      const number = numbers.get(url) ?? numbers.size;
      numbers.set(url, number);
      const target = withUtm(url, tracking.utm);
      const half = tracking.clicks ? clickLink({ tokens, linkBase }, scope, number, target) : undefined;
      return half === undefined ? target : half + clicker;
    };
    const visit = (href: string): string | undefined => {
      const url = decodeAttribute(href);
      return isTrackable(url, linkBase) ? encodeAttribute(link(url)) : undefined;
    };
    const alone = new Set<string>();
    const left = (href: string): void => void alone.add(decodeAttribute(href));
    const inText = (found: string): string => {
      const [url, rest] = splitAddress(found);
      return isTrackable(url, linkBase) && !alone.has(url) ? link(url) + rest : found;
    };
    const rewrites = tracking.clicks || tracking.utm !== undefined;
    const image = tracking.opens ? pixelTag(`${linkBase}/o/${pixel}.gif`) : '';
    const { mark } = tracking;
    return {
      html: html === undefined ? undefined : rewriteHtml(html, rewrites ? visit : undefined, image, { left, mark }),
      text: text === undefined || !rewrites ? text : text.replace(ADDRESS, inText),
    };
  }

  function preparedOnce(bodies: Bodies, shared: Content, scope: string, tracking: ProgramTracking): Bodies {
    const byTracking = prepared.get(shared) ?? new Map<string, Bodies>();
    prepared.set(shared, byTracking);
    const key = JSON.stringify([scope, tracking]);
    const ready = byTracking.get(key) ?? prepare(bodies, scope, tracking);
    byTracking.set(key, ready);
    return ready;
  }

  return {
    track({ subject, ...bodies }, shared, scope, tracking, frame) {
      if (!tracking.clicks && !tracking.opens && tracking.utm === undefined) return { subject, ...bodies };
      const { html, text } =
        shared === undefined ? prepare(bodies, scope, tracking) : preparedOnce(bodies, shared, scope, tracking);
      const own = (body: string | undefined): string | undefined =>
        body?.replaceAll(clicker, frame.clicker).replaceAll(pixel, frame.pixel);
      return { subject, html: own(html), text: own(text) };
    },
  };
}
