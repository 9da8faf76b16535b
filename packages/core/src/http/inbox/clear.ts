import { text } from '../answers.ts';
import type { HttpContext } from '../context.ts';
import type { Answer, Incoming } from '../port.ts';

/** Forgets all captured mail. Only the inbox itself may ask for it: pages of others can make a browser post here, too. */
export async function clearInbox(context: HttpContext, incoming: Incoming): Promise<Answer> {
  if (!isFromHere(context, incoming)) return text(403, 'Forbidden: use the button of the inbox');
  await context.engine.clearCaptured();
  return text(303, '', { Location: '../' });
}

/** Browsers say where a request comes from; `Sec-Fetch-Site` only to this machine and over https. */
function isFromHere({ publicUrl }: HttpContext, incoming: Incoming): boolean {
  const site = incoming.header('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  const origin = incoming.header('origin');
  if (origin === undefined || !URL.canParse(origin)) return false;
  const { host } = new URL(origin);
  // A proxy in front may name another host.
  return host === incoming.host.toLowerCase() || host === new URL(publicUrl).host;
}
