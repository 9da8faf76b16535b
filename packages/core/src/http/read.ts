import type { Reading } from '../thread/port.ts';
import { notFound, pixel, redirect } from './answers.ts';
import type { HttpContext } from './context.ts';
import type { Answer, Incoming } from './port.ts';

/** The pixel: records an open, and answers when that is durable. */
export async function opened(context: HttpContext, incoming: Incoming, token: string): Promise<Answer> {
  const deliveryId = context.tokens.readDelivery('o', token);
  if (deliveryId === undefined) return notFound;
  await record(context, incoming, { type: 'opened', deliveryId });
  return pixel;
}

/** A tracked link: records a click, and leads to the target when that is durable. */
export async function clicked(
  context: HttpContext,
  incoming: Incoming,
  link: string,
  clicker: string,
): Promise<Answer> {
  const claim = context.tokens.readClick(link, clicker);
  const location = claim && locationOf(claim.url);
  if (claim === undefined || location === undefined) return notFound;
  await record(context, incoming, { type: 'clicked', deliveryId: claim.deliveryId, url: claim.url, link: claim.index });
  return redirect(location);
}

type Deed = Pick<Reading, 'type' | 'deliveryId' | 'url' | 'link'>;

/** A reader gets the picture and the target also while the store is down. */
async function record(context: HttpContext, incoming: Incoming, deed: Deed): Promise<void> {
  try {
    await context.engine.read({
      ...deed,
      at: context.now(),
      method: incoming.method,
      userAgent: incoming.header('user-agent'),
    });
  } catch (error) {
    context.onError(error);
  }
}

/** A URL as it can stand in a Location header; `undefined` where it is not http(s). */
function locationOf(url: string): string | undefined {
  if (!/^https?:\/\//i.test(url)) return undefined;
  if (/^[\x21-\x7e]+$/.test(url)) return url;
  return URL.canParse(url) ? new URL(url).href : undefined;
}
