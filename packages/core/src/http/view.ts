import { notFound, page } from './answers.ts';
import type { HttpContext } from './context.ts';
import type { Answer } from './port.ts';

/** A mail in the browser: it may load pictures and leave by its links, and nothing else. */
const POLICY =
  "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline' https:; font-src https: data:; media-src https:";

/** View in browser. */
export async function viewInBrowser(context: HttpContext, token: string): Promise<Answer> {
  const deliveryId = context.tokens.readDelivery('v', token);
  const html = deliveryId === undefined ? undefined : await context.engine.view(deliveryId);
  return html === undefined ? notFound : page(200, html, { policy: POLICY });
}
