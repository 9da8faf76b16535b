import { json } from './answers.ts';
import type { HttpContext } from './context.ts';
import type { Answer } from './port.ts';

/** For load balancers and monitors: whether mail can be accepted. Says nothing else, since everybody can ask. */
export async function health(context: HttpContext): Promise<Answer> {
  try {
    const { ok } = await context.engine.health();
    return json(ok ? 200 : 503, { status: ok ? 'ok' : 'failing' });
  } catch (error) {
    context.onError(error);
    return json(503, { status: 'failing' });
  }
}
