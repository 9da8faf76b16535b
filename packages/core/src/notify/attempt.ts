import { messageOf } from '../errors.ts';
import type { SubscribedEvent } from '../events.ts';
import type { Handle, Verdict } from './port.ts';

/** Characters of an error that are kept. */
const KEPT = 500;

/** Calls a handler, for a time. Never rejects. */
export async function attemptOf(
  handle: Handle,
  event: SubscribedEvent,
  {
    attempt,
    timeoutMs,
    stopped,
  }: { readonly attempt: number; readonly timeoutMs: number; readonly stopped: AbortSignal },
): Promise<Verdict> {
  const late = new AbortController();
  const signal = AbortSignal.any([late.signal, stopped]);
  let timer: NodeJS.Timeout | undefined;
  const given = new Promise<Verdict>((resolve) => {
    timer = setTimeout(() => {
      resolve({ ok: false, error: `it took longer than ${timeoutMs} ms` });
      late.abort(new Error(`longer than ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    return bounded(await Promise.race([handle(event, { attempt, signal }), given]));
  } catch (error) {
    return bounded({ ok: false, error: messageOf(error) });
  } finally {
    clearTimeout(timer);
  }
}

function bounded(verdict: Verdict): Verdict {
  return verdict.ok ? verdict : { ...verdict, error: verdict.error.slice(0, KEPT) };
}
