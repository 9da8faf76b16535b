import { normalizeAddress } from '../address.ts';
import { isMailRelayError } from '../errors.ts';
import type { UnsubscribeClaim } from '../token.ts';
import { notFound, page, text } from './answers.ts';
import type { HttpContext } from './context.ts';
import type { Answer, Incoming } from './port.ts';

/** Longest body of an unsubscribe form, bytes; a real one has 30. */
const MAX_BODY_BYTES = 65_536;

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'";
/** A page of the host may load its own looks, but runs no scripts. */
const CUSTOM_POLICY =
  "default-src 'none'; style-src 'self' https: 'unsafe-inline'; img-src 'self' https: data:; font-src 'self' https: data:; form-action 'self'";

/** The page with the button. Looking at it changes nothing: scanners follow links, too. */
export async function confirmUnsubscribe(context: HttpContext, incoming: Incoming, token: string): Promise<Answer> {
  const claim = context.tokens.readUnsubscribe(token);
  return claim === undefined ? notFound : show(context, incoming, { step: 'confirm', claim, token });
}

/** The button, or a mail program's one-click POST (RFC 8058): suppresses, and answers when that is durable. */
export async function unsubscribe(context: HttpContext, incoming: Incoming, token: string): Promise<Answer> {
  const claim = context.tokens.readUnsubscribe(token);
  if (claim === undefined) return notFound;
  const { deliveryId, scope } = claim;
  const address = normalizeAddress(claim.address);
  const oneClick = isOneClick(await incoming.body(MAX_BODY_BYTES));
  try {
    await context.engine.unsubscribe({
      deliveryId,
      address,
      scope,
      at: context.now(),
      evidence: oneClick ? 'one-click' : 'page',
    });
  } catch (error) {
    context.onError(error);
    // The reader is not told what did not happen. Mail programs try again.
    if (isMailRelayError(error) && !error.retry) return text(500, 'This could not be recorded');
    return text(503, 'This could not be recorded: please try again in a minute', { 'Retry-After': '60' });
  }
  return oneClick ? text(200, 'Unsubscribed') : show(context, incoming, { step: 'done', claim, token });
}

/** RFC 8058 section 3.1: the pair comes urlencoded or as multipart/form-data. */
function isOneClick(body: Uint8Array): boolean {
  const content = Buffer.from(body).toString('latin1');
  return (
    /(?:^|&)List-Unsubscribe=One-Click(?:&|\s*$)/i.test(content) ||
    /name="?List-Unsubscribe"?\s[\s\S]*?\r?\n\r?\nOne-Click/i.test(content)
  );
}

async function show(
  context: HttpContext,
  incoming: Incoming,
  view: { readonly step: 'confirm' | 'done'; readonly claim: UnsubscribeClaim; readonly token: string },
): Promise<Answer> {
  const { address, scope, locale } = view.claim;
  const acceptLanguage = incoming.header('accept-language');
  // Relative, so that the form also works where a proxy serves the page under another path.
  const action = `./${view.token}`;
  const shown = await context.unsubscribePage.render({
    step: view.step,
    address,
    scope,
    locale,
    acceptLanguage,
    action,
  });
  const policy = context.unsubscribePage.custom ? CUSTOM_POLICY : POLICY;
  return page(200, shown.html, { policy, headers: { 'Content-Language': shown.locale, Vary: 'Accept-Language' } });
}
