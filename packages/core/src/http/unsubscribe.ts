import { normalizeAddress } from '../address.ts';
import { isMailRelayError } from '../errors.ts';
import type { SubscriptionState } from '../thread/port.ts';
import type { UnsubscribeClaim } from '../token.ts';
import type { UnsubscribeView } from '../unsubscribe.ts';
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
  const claim = readClaim(context, token);
  if (claim === undefined) return notFound;
  const state = await stateOf(context, claim);
  return show(context, incoming, { step: state.unsubscribed ? 'already' : 'confirm', claim, state, token });
}

/** A button, or a mail program's one-click POST (RFC 8058): answers when what it does is durable. */
export async function unsubscribe(context: HttpContext, incoming: Incoming, token: string): Promise<Answer> {
  const claim = readClaim(context, token);
  if (claim === undefined) return notFound;
  const body = Buffer.from(await incoming.body(MAX_BODY_BYTES)).toString('latin1');
  const oneClick = isOneClick(body);
  try {
    const step = !oneClick && wantsBack(body) ? await comeBack(context, claim) : await leave(context, claim, oneClick);
    if (oneClick) return text(200, 'Unsubscribed');
    return show(context, incoming, { step, claim, state: await stateOf(context, claim), token });
  } catch (error) {
    context.onError(error);
    // The reader is not told what did not happen. Mail programs try again.
    if (isMailRelayError(error) && !error.retry) return text(500, 'This could not be recorded');
    return text(503, 'This could not be recorded: please try again in a minute', { 'Retry-After': '60' });
  }
}

/** Suppressions are matched by the normalised address. */
function readClaim(context: HttpContext, token: string): (UnsubscribeClaim & { readonly shown: string }) | undefined {
  const claim = context.tokens.readUnsubscribe(token);
  return claim && { ...claim, address: normalizeAddress(claim.address), shown: claim.address };
}

async function leave(context: HttpContext, claim: UnsubscribeClaim, oneClick: boolean): Promise<'done'> {
  const { deliveryId, address, scope } = claim;
  const evidence = oneClick ? 'one-click' : 'page';
  await context.engine.unsubscribe({ deliveryId, address, scope, at: context.now(), evidence });
  return 'done';
}

/** Who has not left by a link, but bounced or complained, does not come back by one. */
async function comeBack(context: HttpContext, claim: UnsubscribeClaim): Promise<UnsubscribeView['step']> {
  const { deliveryId, address, scope } = claim;
  if (await context.engine.resubscribe({ deliveryId, address, scope, at: context.now() })) return 'again';
  return (await stateOf(context, claim)).unsubscribed ? 'already' : 'confirm';
}

/** The page works without what the store knows, too. */
async function stateOf(context: HttpContext, claim: UnsubscribeClaim): Promise<SubscriptionState> {
  const { deliveryId, address, scope } = claim;
  try {
    return await context.engine.subscription({ deliveryId, address, scope });
  } catch (error) {
    context.onError(error);
    return { sender: undefined, unsubscribed: false, mayReturn: false };
  }
}

function wantsBack(body: string): boolean {
  return /(?:^|&)subscribe=yes(?:&|\s*$)/.test(body);
}

/** RFC 8058 section 3.1: the pair comes urlencoded or as multipart/form-data. */
function isOneClick(content: string): boolean {
  return (
    /(?:^|&)List-Unsubscribe=One-Click(?:&|\s*$)/i.test(content) ||
    /name="?List-Unsubscribe"?\s[\s\S]*?\r?\n\r?\nOne-Click/i.test(content)
  );
}

async function show(
  context: HttpContext,
  incoming: Incoming,
  asked: {
    readonly step: UnsubscribeView['step'];
    readonly claim: UnsubscribeClaim & { readonly shown: string };
    readonly state: SubscriptionState;
    readonly token: string;
  },
): Promise<Answer> {
  const { claim, state, step, token } = asked;
  const shown = await context.unsubscribePage.render({
    step,
    address: claim.shown,
    scope: claim.scope,
    sender: state.sender ?? context.from,
    host: new URL(context.publicUrl).hostname,
    locale: claim.locale,
    acceptLanguage: incoming.header('accept-language'),
    // Relative, so that the form also works where a proxy serves the page under another path.
    action: `./${token}`,
    maySubscribe: state.mayReturn && (step === 'done' || step === 'already'),
  });
  const policy = context.unsubscribePage.custom ? CUSTOM_POLICY : POLICY;
  return page(200, shown.html, { policy, headers: { 'Content-Language': shown.locale, Vary: 'Accept-Language' } });
}
