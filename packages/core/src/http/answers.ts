import type { Answer } from './port.ts';

const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64');

const EVERYWHERE = {
  'X-Robots-Tag': 'noindex, nofollow',
  'X-Content-Type-Options': 'nosniff',
} as const;

const PIXEL_HEADERS = {
  ...EVERYWHERE,
  'Content-Type': 'image/gif',
  'Cache-Control': 'no-store, no-cache, must-revalidate, private, max-age=0',
  // The pixel is loaded from webmail of other origins.
  'Cross-Origin-Resource-Policy': 'cross-origin',
} as const;

/** A transparent GIF of one pixel, 43 bytes. */
export const pixel: Answer = {
  status: 200,
  headers: PIXEL_HEADERS,
  body: GIF,
};

/** Leads to another URL; the caller has made sure that it is http(s) and ASCII. */
export function redirect(location: string): Answer {
  return {
    status: 302,
    headers: {
      ...EVERYWHERE,
      Location: location,
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer-when-downgrade',
    },
    body: '',
  };
}

/** Plain text. */
export function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status,
    headers: { ...EVERYWHERE, 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store', ...headers },
    body,
  };
}

/** JSON. */
export function json(status: number, value: unknown): Answer {
  return text(status, JSON.stringify(value), { 'Content-Type': 'application/json; charset=utf-8' });
}

/** The one answer to every token that is not ours: it does not say what is wrong with it. */
export const notFound: Answer = text(404, 'Not found');

/** A page under a content security policy. */
export function page(
  status: number,
  body: string,
  options: {
    readonly policy: string;
    readonly framedBy?: 'self' | 'nobody';
    readonly headers?: Readonly<Record<string, string>>;
  },
): Answer {
  const framed = options.framedBy === 'self';
  return {
    status,
    headers: {
      ...EVERYWHERE,
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
      'Content-Security-Policy': `${options.policy}; base-uri 'none'; frame-ancestors ${framed ? "'self'" : "'none'"}`,
      'X-Frame-Options': framed ? 'SAMEORIGIN' : 'DENY',
      'Referrer-Policy': 'no-referrer',
      ...options.headers,
    },
    body,
  };
}
