import type { Content } from '../message.ts';
import type { Tokens } from '../token.ts';
import { decodeAttribute, encodeAttribute, rewriteHtml, withUtm } from './links.ts';
import { type ProgramTracking, pixelTag, type RenderFrame } from './program.ts';

/** Subject and bodies of one mail. */
export interface RawParts {
  readonly subject: string;
  readonly html: string | undefined;
  readonly text: string | undefined;
}

/** Tracks mail that comes without a template. */
export interface RawHtml {
  track(parts: RawParts, content: Content, scope: string, tracking: ProgramTracking, frame: RenderFrame): RawParts;
}

/** Other than in a template, links are bound to their message, so each message is parsed once. */
export function createRawHtml({ tokens, linkBase }: { readonly tokens: Tokens; readonly linkBase: string }): RawHtml {
  return {
    track({ subject, html, text }, _content, scope, tracking, frame) {
      if (!tracking.clicks && !tracking.opens && tracking.utm === undefined) return { subject, html, text };
      const indexes = new Map<string, number>();
      const link = (url: string): string => {
        const index = indexes.get(url) ?? indexes.size;
        indexes.set(url, index);
        const target = withUtm(url, tracking.utm);
        return tracking.clicks ? `${linkBase}/c/${tokens.link(scope, index, target)}.${frame.clicker}` : target;
      };
      const visit = (href: string): string | undefined => {
        const url = decodeAttribute(href);
        return /^https?:\/\//i.test(url) && !url.startsWith(`${linkBase}/`) ? encodeAttribute(link(url)) : undefined;
      };
      const links = tracking.clicks || tracking.utm !== undefined;
      const pixel = tracking.opens ? pixelTag(`${linkBase}/o/${frame.pixel}.gif`) : '';
      return {
        subject,
        html: html === undefined ? undefined : rewriteHtml(html, links ? visit : undefined, pixel),
        text: text === undefined || !links ? text : text.replace(/https?:\/\/[^\s<>"'()]+/g, link),
      };
    },
  };
}
